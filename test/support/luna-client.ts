import {
  type CallOptions,
  type ChannelCredentials,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

/** Luna's messages, written from its public description and not from our .proto. */
const luna = {
  nested: {
    cobaltspeech: {
      nested: {
        luna: {
          nested: {
            VersionRequest: { fields: {} },
            VersionResponse: { fields: { version: { type: 'string', id: 1 } } },
            ListVoicesRequest: { fields: {} },
            ListVoicesResponse: { fields: { voices: { rule: 'repeated', type: 'Voice', id: 1 } } },
            Voice: {
              fields: {
                id: { type: 'string', id: 1 },
                name: { type: 'string', id: 2 },
                sampleRate: { type: 'uint32', id: 3 },
                language: { type: 'string', id: 4 },
              },
            },
            SynthesizeRequest: {
              fields: { config: { type: 'SynthesizerConfig', id: 1 }, text: { type: 'string', id: 2 } },
            },
            SynthesizerConfig: {
              fields: {
                voiceId: { type: 'string', id: 1 },
                encoding: { type: 'int32', id: 2 },
                nSamples: { type: 'uint64', id: 3 },
              },
            },
            SynthesizeResponse: { fields: { audio: { type: 'bytes', id: 1 } } },
            Luna: {
              methods: {
                Version: { requestType: 'VersionRequest', responseType: 'VersionResponse' },
                ListVoices: { requestType: 'ListVoicesRequest', responseType: 'ListVoicesResponse' },
                Synthesize: { requestType: 'SynthesizeRequest', responseType: 'SynthesizeResponse' },
                SynthesizeStream: {
                  requestType: 'SynthesizeRequest',
                  responseType: 'SynthesizeResponse',
                  responseStream: true,
                },
              },
            },
          },
        },
      },
    },
  },
};

interface Voice {
  readonly id: string;
  readonly name: string;
  readonly sampleRate: number;
  readonly language: string;
}
export interface LunaRequest {
  readonly config?: { readonly voiceId?: string; readonly encoding?: number; readonly nSamples?: number };
  readonly text?: string;
}
interface LunaResponse {
  readonly audio: Buffer;
}
type Unary<In, Out> = (
  request: In,
  options: CallOptions,
  then: (error: ServiceError | null, out?: Out) => void,
) => void;

/** A client as Luna's own would be, generated from its messages. */
export function lunaClient(
  port: number,
  how: ChannelCredentials = credentials.createInsecure(),
  host = '127.0.0.1',
) {
  const { Luna } = (
    loadPackageDefinition(fromJSON(luna as Parameters<typeof fromJSON>[0], { longs: Number })) as unknown as {
      cobaltspeech: { luna: { Luna: ServiceClientConstructor } };
    }
  ).cobaltspeech.luna;
  const stub = new Luna(`${host}:${port}`, how);
  const unary =
    <In, Out>(name: string) =>
    (request: In, options: CallOptions = {}): Promise<Out> =>
      new Promise((resolve, reject) => {
        (stub[name] as unknown as Unary<In, Out>).call(stub, request, options, (error, out) =>
          error ? reject(error) : resolve(out!),
        );
      });
  return {
    version: unary<object, { version: string }>('Version'),
    listVoices: unary<object, { voices: Voice[] }>('ListVoices'),
    synthesize: unary<LunaRequest, LunaResponse>('Synthesize'),
    stream: (request: LunaRequest, options: CallOptions = {}) =>
      (
        stub.SynthesizeStream as unknown as (
          request: LunaRequest,
          options: CallOptions,
        ) => ClientReadableStream<LunaResponse>
      ).call(stub, request, options),
    close: () => stub.close(),
  };
}

/** The audio of each message of a stream; rejects with its status if that is not OK. */
export async function framesOf(stream: ClientReadableStream<{ audio: Buffer }>): Promise<Buffer[]> {
  const frames: Buffer[] = [];
  for await (const { audio } of stream as AsyncIterable<{ audio: Buffer }>) frames.push(audio);
  return frames;
}

export function samplesOf(bytes: Buffer): Int16Array {
  return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

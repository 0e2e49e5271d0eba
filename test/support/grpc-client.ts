import { once } from 'node:events';
import {
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

const string = { type: 'string', id: 1 };
const description = {
  nested: {
    grpc: {
      nested: {
        health: {
          nested: {
            v1: {
              nested: {
                HealthCheckRequest: { fields: { service: string } },
                HealthCheckResponse: { fields: { status: { type: 'Status', id: 1 } } },
                Status: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } },
                Health: {
                  methods: {
                    Check: { requestType: 'HealthCheckRequest', responseType: 'HealthCheckResponse' },
                  },
                },
              },
            },
          },
        },
        reflection: {
          nested: {
            v1: {
              nested: {
                ServerReflectionRequest: {
                  fields: {
                    file_containing_symbol: { type: 'string', id: 4 },
                    list_services: { type: 'string', id: 7 },
                  },
                },
                ServerReflectionResponse: {
                  fields: {
                    file_descriptor_response: { type: 'Files', id: 4 },
                    list_services_response: { type: 'Listed', id: 6 },
                  },
                },
                Files: { fields: { file_descriptor_proto: { rule: 'repeated', type: 'bytes', id: 1 } } },
                Listed: { fields: { service: { rule: 'repeated', type: 'Service', id: 1 } } },
                Service: { fields: { name: string } },
                ServerReflection: {
                  methods: {
                    ServerReflectionInfo: {
                      requestType: 'ServerReflectionRequest',
                      requestStream: true,
                      responseType: 'ServerReflectionResponse',
                      responseStream: true,
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

interface Reflected {
  readonly file_descriptor_response: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly list_services_response: { readonly service: readonly { readonly name: string }[] };
}

interface Services {
  readonly grpc: {
    readonly health: { readonly v1: { readonly Health: ServiceClientConstructor } };
    readonly reflection: { readonly v1: { readonly ServerReflection: ServiceClientConstructor } };
  };
}

const { grpc } = loadPackageDefinition(
  fromJSON(description as Parameters<typeof fromJSON>[0], { enums: String, keepCase: true, defaults: true }),
) as unknown as Services;

/** What `grpc.health.v1.Health/Check` says of a service; of the server as a whole if none is named. */
export function healthOf(port: number, service = ''): Promise<string> {
  const client = new grpc.health.v1.Health(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    client.Check!({ service }, (error: Error | null, answer: { status: string }) =>
      error ? reject(error) : resolve(answer.status),
    );
  }).finally(() => client.close());
}

async function reflect(port: number, request: object): Promise<Reflected> {
  const client = new grpc.reflection.v1.ServerReflection(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.ServerReflectionInfo!() as unknown as ClientDuplexStream<object, Reflected>;
  call.write(request);
  call.on('error', () => {});
  try {
    const [answer] = (await once(call, 'data')) as [Reflected];
    return answer;
  } finally {
    call.cancel();
    client.close();
  }
}

/** The services that reflection lists. */
export const servicesOf = async (port: number): Promise<string[]> =>
  (await reflect(port, { list_services: '*' })).list_services_response.service.map(({ name }) => name);

/** The files that reflection gives to whoever wants to call a service that it knows by name only. */
export const filesOf = async (port: number, symbol: string): Promise<readonly Buffer[]> =>
  (await reflect(port, { file_containing_symbol: symbol })).file_descriptor_response.file_descriptor_proto;

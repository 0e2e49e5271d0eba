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
                ServerReflectionRequest: { fields: { list_services: { type: 'string', id: 7 } } },
                ServerReflectionResponse: { fields: { list_services_response: { type: 'Listed', id: 6 } } },
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

interface Listed {
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

/** The services that reflection lists. */
export async function servicesOf(port: number): Promise<string[]> {
  const client = new grpc.reflection.v1.ServerReflection(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = client.ServerReflectionInfo!() as unknown as ClientDuplexStream<object, Listed>;
  call.write({ list_services: '*' });
  call.on('error', () => {});
  try {
    const [answer] = (await once(call, 'data')) as [Listed];
    return answer.list_services_response.service.map(({ name }) => name);
  } finally {
    call.cancel();
    client.close();
  }
}

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import { RhapsodeError } from '@rhapsode/contracts';

/** Files in PEM. */
export interface TlsFiles {
  readonly grpcTlsCert: string | undefined;
  readonly grpcTlsKey: string | undefined;
  /** Who may call: clients with a certificate of this authority, and nobody else. */
  readonly grpcTlsClientCa: string | undefined;
}

const names = {
  grpcTlsCert: 'RHAPSODE_GRPC_TLS_CERT',
  grpcTlsKey: 'RHAPSODE_GRPC_TLS_KEY',
  grpcTlsClientCa: 'RHAPSODE_GRPC_TLS_CLIENT_CA',
} as const;

const invalid = (message: string, cause?: unknown) =>
  new RhapsodeError('config_invalid', { message, ...(cause === undefined ? {} : { cause }) });

/** Plain, TLS or mutual TLS, as the settings say. What is wrong with the files is said here, and not by a client's handshake. */
export async function createCredentials(
  files: TlsFiles,
): Promise<{ credentials: ServerCredentials; tls: string }> {
  const { grpcTlsCert, grpcTlsKey, grpcTlsClientCa } = files;
  if (grpcTlsCert === undefined && grpcTlsKey === undefined) {
    if (grpcTlsClientCa !== undefined)
      throw invalid(`${names.grpcTlsClientCa} needs ${names.grpcTlsCert} and ${names.grpcTlsKey} too.`);
    return { credentials: ServerCredentials.createInsecure(), tls: 'none' };
  }
  const certificate = await read(files, 'grpcTlsCert');
  const key = await read(files, 'grpcTlsKey');
  checkPair(certificate, key);
  if (grpcTlsClientCa === undefined)
    return { credentials: ServerCredentials.createSsl(null, [pair(certificate, key)]), tls: 'server' };
  const authority = await read(files, 'grpcTlsClientCa');
  certificateOf(authority, 'grpcTlsClientCa');
  return {
    credentials: ServerCredentials.createSsl(authority, [pair(certificate, key)], true),
    tls: 'mutual',
  };
}

const pair = (cert_chain: Buffer, private_key: Buffer) => ({ cert_chain, private_key });

async function read(files: TlsFiles, which: keyof TlsFiles): Promise<Buffer> {
  const path = files[which];
  if (path === undefined)
    throw invalid(`${names[which]} is not set; a certificate and its key are needed together.`);
  try {
    return await readFile(path);
  } catch (cause) {
    throw invalid(
      `${names[which]}: ${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      cause,
    );
  }
}

function certificateOf(pem: Buffer, which: keyof TlsFiles): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(`${names[which]}: the file holds no certificate in PEM.`, cause);
  }
}

function checkPair(pem: Buffer, keyPem: Buffer): void {
  const certificate = certificateOf(pem, 'grpcTlsCert');
  let key: KeyObject;
  try {
    key = createPrivateKey(keyPem);
  } catch (cause) {
    throw invalid(`${names.grpcTlsKey}: the file holds no private key in PEM without a passphrase.`, cause);
  }
  if (!certificate.checkPrivateKey(key))
    throw invalid(`${names.grpcTlsKey} is not the key of the certificate in ${names.grpcTlsCert}.`);
  try {
    createSecureContext({ cert: pem, key: keyPem });
  } catch (cause) {
    throw invalid(`${names.grpcTlsCert}: ${(cause as Error).message}.`, cause);
  }
}

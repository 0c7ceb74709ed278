import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { brokerFailure } from './errors.ts';

export interface TlsMaterial {
  /** PEM; the machine's own roots when absent. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Looks at the files that kit.yaml names before OpenSSL does: of an authority without a certificate it says nothing and
 * trusts nobody, and what it throws of the others names no file. Throws `broker-material`.
 */
export function checkMaterial({ ca, cert, key }: TlsMaterial): void {
  if (ca !== null) {
    const authorities = ca.match(PEM) ?? [];
    if (authorities.length === 0) throw unusable('broker.ca holds no PEM certificate');
    for (const pem of authorities) parsed('broker.ca holds a damaged certificate', () => new X509Certificate(pem));
  }
  const certificate =
    cert === null ? null : parsed('broker.cert is no PEM certificate', () => new X509Certificate(cert));
  const secret = key === null ? null : parsed('broker.key is no PEM private key', () => privateKey(key));
  if (certificate !== null && secret !== null && !certificate.checkPrivateKey(secret))
    throw unusable('broker.key does not belong to broker.cert');
  // What is left, e.g. a key too short for today’s security level.
  parsed('OpenSSL refuses broker.cert or broker.key', () =>
    createSecureContext({
      ...(cert === null ? {} : { cert }),
      ...(key === null ? {} : { key }),
    }),
  );
}

function privateKey(pem: string): KeyObject {
  return createPrivateKey({ key: pem, format: 'pem' });
}

function parsed<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    // Whatever OpenSSL makes of the bytes of a file is a fault of the file; its words may quote them, so only its code is told.
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw unusable(`${what}${code}`);
  }
}

function unusable(detail: string): ReturnType<typeof brokerFailure> {
  return brokerFailure('broker-material', { detail });
}

import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, rootCertificates, type DetailedPeerCertificate } from 'node:tls';

/** Longest chain that is followed; real ones have two to four certificates. */
const LONGEST_CHAIN = 8;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface ChainCheck {
  readonly host: string;
  /** PEM of the trusted authorities; Node's bundled roots when null. */
  readonly ca: string | null;
  /** The time to check against, ms since 1970. */
  readonly atMs: number;
}

/**
 * Checks a server's certificate chain against a time of our own: host name, each signature up to a trusted authority,
 * each authority's CA flag, each validity. OpenSSL reads the machine's clock and keeps only the last fault of a chain,
 * so its "not yet valid" may hide another one; hence the whole check again. `null` when the chain is good.
 */
export function chainFault(peer: DetailedPeerCertificate, check: ChainCheck): string | null {
  if (peer.raw === undefined) return 'no-certificate';
  if (checkServerIdentity(check.host, peer) !== undefined) return 'other-host';
  const sent = sentChain(peer);
  const trusted = trustAnchors(check.ca);
  let [current] = sent;
  for (let depth = 0; current !== undefined && depth < LONGEST_CHAIN; depth += 1) {
    const fault = validityFault(current, check.atMs);
    if (fault !== null) return fault;
    const subject: X509Certificate = current;
    if (trusted.some((anchor) => anchor.fingerprint256 === subject.fingerprint256)) return null;
    const anchor = trusted.find((candidate) => issued(candidate, subject));
    if (anchor !== undefined) return validityFault(anchor, check.atMs);
    current = sent.find(
      (candidate) => candidate.fingerprint256 !== subject.fingerprint256 && issued(candidate, subject),
    );
  }
  return 'unknown-authority';
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

function validityFault(certificate: X509Certificate, atMs: number): string | null {
  if (atMs < Date.parse(certificate.validFrom)) return 'not-yet-valid';
  return atMs > Date.parse(certificate.validTo) ? 'expired' : null;
}

/** The certificates as the server sent them; Node links the last one to itself. */
function sentChain(peer: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current: DetailedPeerCertificate | undefined = peer;
  while (current?.raw !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(new X509Certificate(current.raw));
    const next: DetailedPeerCertificate | undefined = current.issuerCertificate;
    current = next === current ? undefined : next;
  }
  return chain;
}

function trustAnchors(ca: string | null): readonly X509Certificate[] {
  const texts = ca === null ? rootCertificates : (ca.match(PEM) ?? []);
  return texts.map((pem) => new X509Certificate(pem));
}

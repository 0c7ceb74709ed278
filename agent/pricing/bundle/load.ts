import { fault, type Fault } from '../fault.ts';
import { lowerCondition } from '../language/cel.ts';
import { readDocument, type SourceDocument, type Spot } from '../language/document.ts';
import { JsonFault, readJson } from '../language/json.ts';
import { ENGINE, type Bundle } from './bundle.ts';
import { canonicalBytes } from './canonical.ts';
import { checkBundle, takeTree, type Checked, type ReadCondition } from './check.ts';
import { looksSigned, readEnvelope, signerOf, type Envelope, type TrustedKey } from './sign.ts';

export interface LoadOptions {
  /** Keys of which one must have signed; absent: the signature is not asked for. */
  readonly trust?: readonly TrustedKey[];
  /** Sources with conditions as text are taken too. The kit takes none: it compiles nothing. */
  readonly sources: boolean;
}

export interface LoadedBundle {
  readonly ok: true;
  readonly bundle: Bundle;
  readonly warnings: readonly string[];
  /** The canonical bytes: what is or would be signed. */
  readonly bytes: Uint8Array;
  readonly envelope: Envelope | null;
  /** Key id of the trusted signer; null when no trust was asked for. */
  readonly signedBy: string | null;
}

/** Faults with their places, where the text is the author's own. */
export interface PlacedFault extends Fault {
  readonly line?: number;
  readonly column?: number;
}

export type Loaded = LoadedBundle | { readonly ok: false; readonly faults: readonly PlacedFault[] };

/** Reads a source, a compiled bundle or a signed one from a file's bytes. A signature is verified before its payload is parsed. */
export function loadBundle(bytes: Uint8Array, options: LoadOptions): Loaded {
  const read = readDocument(bytes);
  if (!read.ok) return failed([place(read.fault, read.spot)]);
  const { document } = read;
  if (looksSigned(document.value)) return loadSigned(document, options);
  if (options.trust !== undefined) return failed([fault('signature-missing', [], 'no payload and signatures')]);
  const checked = checkBundle(document.value, options.sources ? readSource : takeTree);
  return finish(checked, null, null, document);
}

const readSource: ReadCondition = (condition, path, faults, budget) =>
  typeof condition === 'string'
    ? lowerCondition(condition, path, faults, budget)
    : takeTree(condition, path, faults, budget);

function loadSigned(document: SourceDocument, { trust }: LoadOptions): Loaded {
  const envelope = readEnvelope(document.value);
  if (envelope === null)
    return failed([
      fault('bundle-format', [], 'a signed bundle is {"payload","signatures":[{"keyid","sig"}]} in base64'),
    ]);
  let signedBy: string | null = null;
  if (trust !== undefined) {
    signedBy = signerOf(envelope, trust)?.keyId ?? null;
    if (signedBy === null) {
      const none = envelope.signatures.length === 0;
      return failed([
        none
          ? fault('signature-missing', ['signatures'], 'the list of signatures is empty')
          : fault('signature-invalid', ['signatures'], `${trust.length} keys tried`),
      ]);
    }
  }
  const payload = new Uint8Array(Buffer.from(envelope.payload, 'base64'));
  let value: unknown;
  try {
    value = readJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload));
  } catch (error) {
    if (!(error instanceof JsonFault) && !(error instanceof TypeError)) throw error;
    const deep = error instanceof JsonFault && error.code === 'too-deep';
    return failed([fault(deep ? 'bundle-too-deep' : 'bundle-syntax', ['payload'], error.message)]);
  }
  if (Buffer.compare(canonicalBytes(value), payload) !== 0)
    return failed([fault('not-canonical', ['payload'], 'keys in order, no white space, integers only')]);
  const finished = finish(checkBundle(value), envelope, signedBy, null);
  return finished.ok ? { ...finished, bytes: payload } : finished;
}

function finish(
  checked: Checked,
  envelope: Envelope | null,
  signedBy: string | null,
  document: SourceDocument | null,
): Loaded {
  if (!checked.ok)
    return failed(checked.faults.map((found) => (document === null ? found : place(found, document.spot(found)))));
  const { bundle, warnings } = checked;
  if ((bundle.minEngine ?? 0) > ENGINE)
    return failed([fault('engine-too-old', ['minEngine'], `it asks for ${bundle.minEngine}, this is ${ENGINE}`)]);
  const bytes = envelope === null ? canonicalBytes(bundle) : new Uint8Array(0);
  return { ok: true, bundle, warnings, bytes, envelope, signedBy };
}

function place(found: Fault, spot: Spot): PlacedFault {
  return { ...found, line: spot.line, column: spot.column };
}

function failed(faults: readonly PlacedFault[]): Loaded {
  return { ok: false, faults };
}

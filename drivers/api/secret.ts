import { z } from 'zod';

/** Where a secret lies. Never the secret itself. */
export type SecretRef = { readonly file: string } | { readonly env: string } | { readonly credential: string };

/** A secret in kit.yaml: `{ file: … }` relative to kit.yaml's folder, `{ env: … }` or `{ credential: … }` (systemd). */
export const secretRef: z.ZodType<SecretRef> = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ credential: z.string().min(1) }),
]);

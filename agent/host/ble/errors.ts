import { failures, type Fail } from '../../../drivers/api/agent-error.ts';
import { radioErrors, type RadioErrorCode } from '../../../drivers/lib/radio-errors.ts';

export type { RadioErrorCode };
export const radioFailure: Fail<typeof radioErrors> = failures(radioErrors);

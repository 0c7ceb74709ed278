import { BASE_HEADERS, jsonAnswer } from '../answer.ts';
import { doneSchema, reloadSchema } from '../answer-schemas.ts';
import type { ApiParts } from '../api-parts.ts';
import { apiFailure } from '../errors.ts';
import { readBodyAs } from '../read-request.ts';
import type { Call, Route } from '../route.ts';
import { noInput } from '../schemas.ts';

type Parts = Pick<ApiParts, 'view' | 'supportBundle'>;

/** What a technician does to the kit. */
export function controlRoutes({ view, supportBundle }: Parts): readonly Route[] {
  const action = (path: string, summary: string, act: (call: Call) => Promise<void>): Route => ({
    method: 'POST',
    path,
    summary,
    idempotency: 'api',
    body: { schema: noInput, example: {} },
    answers: [{ status: 202, description: 'Done, or under way', schema: doneSchema, example: { ok: true } }],
    handle: async (call) => {
      readBodyAs(noInput, call.body);
      await act(call);
      return jsonAnswer(202, { ok: true });
    },
  });
  const driverOf = (call: Call): string => call.params['driverId'] ?? '';
  return [
    action('/v1/drivers/{driverId}/restart', 'Close a driver and open it again', async (call) =>
      view.restartDriver(driverOf(call)),
    ),
    action('/v1/drivers/{driverId}/identify', 'Make a device show itself', async (call) =>
      view.identify(driverOf(call)),
    ),
    action('/v1/identify', 'Make the kit show itself', async () => view.identify(null)),
    {
      method: 'POST',
      path: '/v1/reload',
      summary: 'Read kit.yaml again; only what changed is restarted',
      idempotency: 'api',
      body: { schema: noInput, example: {} },
      answers: [
        { status: 200, description: 'What was restarted', schema: reloadSchema, example: { restarted: ['door'] } },
      ],
      handle: async ({ body }) => {
        readBodyAs(noInput, body);
        return jsonAnswer(200, await view.reload());
      },
    },
    {
      method: 'GET',
      path: '/v1/support-bundle',
      summary: 'A redacted bundle of configuration, status and logs to download',
      answers: [{ status: 200, description: 'The bundle', contentType: 'application/octet-stream' }],
      handle: async ({ signal }) => {
        if (supportBundle === undefined) throw apiFailure('bundle-off');
        const file = await supportBundle(signal);
        const name = file.fileName.replaceAll(/[^A-Za-z0-9._-]/g, '-');
        return {
          status: 200,
          headers: {
            ...BASE_HEADERS,
            'content-type': file.contentType,
            'content-disposition': `attachment; filename="${name}"`,
          },
          body: file.bytes,
        };
      },
    },
  ];
}

import { expect, test } from 'vitest';
import { OPEN_SHOP, TROUBLED_SHOP } from '../../scripts/lib/scripted-shop.ts';
import { scriptedKit } from '../../scripts/lib/scripted-kit.ts';
import { renderMetrics } from './metrics.ts';

const LINE = /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** Reads the text format strictly: every sample under its HELP and TYPE, no series twice. */
function parse(text: string): Map<string, number> {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (gauge|counter|histogram)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1]!), line).toBe(false);
      types.set(type[1]!, type[2]!);
    } else if (!line.startsWith('# HELP ')) {
      const match = LINE.exec(line);
      expect(match, line).not.toBeNull();
      const family = match![1]!.replace(/_(bucket|sum|count)$/, '');
      const kind = types.get(match![1]!) ?? types.get(family);
      expect(kind, line).toBeDefined();
      if (kind === 'counter') expect(match![1], line).toMatch(/_total$/);
      const key = `${match![1]}{${match![2] ?? ''}}`;
      expect(series.has(key), line).toBe(false);
      series.set(key, Number(match![3]));
    }
  }
  return series;
}

test('every sample can be read and stands under its type', () => {
  const series = parse(renderMetrics(TROUBLED_SHOP, []));
  expect(series.get('barrow_ready{}')).toBe(0);
  expect(series.get('barrow_reason_info{code="camera-stalled",driver="door"}')).toBe(1);
  expect(series.get('barrow_driver_state{driver="door",type="camera-counter",state="failed"}')).toBe(1);
  expect(series.get('barrow_driver_state{driver="door",type="camera-counter",state="ready"}')).toBe(0);
  expect(series.get('barrow_ledger_lost_events_total{stream="sale"}')).toBe(0);
  expect(series.get('barrow_ledger_oldest_pending_seconds{}')).toBe(2840);
});

test('what is unknown has no sample', () => {
  const series = parse(renderMetrics({ ...OPEN_SHOP, machine: { ...OPEN_SHOP.machine, temperatureC: null } }, []));
  expect([...series.keys()].some((key) => key.includes('temperature'))).toBe(false);
});

test('a label that tries to break out is escaped', () => {
  const text = renderMetrics({ ...OPEN_SHOP, version: '1"\n\\x' }, []);
  expect(text).toContain('version="1\\"\\n\\\\x"');
  parse(text);
});

test('requests are counted by route, never by what the peer wrote', async () => {
  const kit = scriptedKit();
  for (let n = 0; n < 50; n += 1) await kit.call({ path: `/v1/payments/${n}` });
  for (let n = 0; n < 50; n += 1) await kit.call({ path: `/${n}`, method: `M${n}` });
  const series = parse((await kit.call({ path: '/metrics' })).body as string);
  expect(series.get('barrow_http_requests_total{route="/v1/payments/{intentId}",method="GET",code="404"}')).toBe(50);
  expect(series.get('barrow_http_requests_total{route="unknown",method="other",code="404"}')).toBe(50);
  expect(series.get('barrow_http_request_duration_seconds_count{route="unknown",method="other"}')).toBe(50);
});

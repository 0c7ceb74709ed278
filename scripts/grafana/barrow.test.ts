import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderMetrics } from '../../agent/api/metrics.ts';
import { RequestStats } from '../../agent/api/request-stats.ts';
import { STATUS_EXAMPLE } from '../../agent/api/routes/status-example.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(readFileSync(new URL('./barrow.json', import.meta.url), 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
};
const expressions = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];

/** Every series that a kit can expose, with the labels that it carries. */
function exposed(): ReadonlyMap<string, ReadonlySet<string>> {
  const stats = new RequestStats();
  stats.record('GET', '/', 200, 1);
  const known = new Map<string, Set<string>>();
  for (const line of renderMetrics(STATUS_EXAMPLE, stats.all()).split('\n')) {
    const [, name, labels = ''] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    const seen = known.get(name) ?? new Set<string>();
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) seen.add(label);
    known.set(name, seen);
  }
  return known;
}

describe('the Grafana dashboard', () => {
  const series = exposed();
  const used = new Set(expressions.flatMap((expr) => expr.match(/\b(?:barrow|process)_[a-z0-9_]+/g) ?? []));

  test('asks for series that a kit exposes, and for all of them', () => {
    expect([...used].filter((name) => !series.has(name))).toEqual([]);
    const parts = /_(sum|count)$/;
    expect([...series.keys()].filter((name) => !used.has(name) && !parts.test(name))).toEqual([]);
  });

  test('groups and filters by labels that those series carry', () => {
    for (const expr of expressions) {
      const [name = ''] = expr.match(/\b(?:barrow|process)_[a-z0-9_]+/) ?? [];
      const labels = [
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) =>
          list.split(',').map((label) => label.trim()),
        ),
        ...[...expr.matchAll(/([a-z_]+)(?:=~|!=|=)"/g)].map(([, label = '']) => label),
      ];
      // `instance` is put there by Prometheus itself.
      for (const label of labels) expect(['instance', ...(series.get(name) ?? [])], expr).toContain(label);
      expect((expr.match(/[({[]/g) ?? []).length, expr).toBe((expr.match(/[)}\]]/g) ?? []).length);
    }
  });

  test('takes rates of counters and nothing else', () => {
    for (const expr of expressions)
      for (const [, name = ''] of expr.matchAll(/(?:rate|increase)\((\w+)/g))
        expect(name, expr).toMatch(/_(total|bucket)$/);
  });

  test('has panels of their own place and number', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    for (const [at, a] of dashboard.panels.entries())
      for (const b of dashboard.panels.slice(at + 1)) {
        const apart =
          a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
          b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
          a.gridPos.y + a.gridPos.h <= b.gridPos.y ||
          b.gridPos.y + b.gridPos.h <= a.gridPos.y;
        expect(apart, `${a.title} and ${b.title}`).toBe(true);
      }
  });
});

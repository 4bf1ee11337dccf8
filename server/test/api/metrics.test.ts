import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Exposed, readExposition } from '../support/exposition.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { documentedMetrics } from '../support/operations-doc.ts';
import { TestServer } from '../support/test-server.ts';

const TARBALL = '/front/left-pad/-/left-pad-1.0.0.tgz';
let upstream: FakeUpstream;
let server: TestServer;
let exposed: readonly Exposed[];

const metric = (name: string): Exposed => {
  const found = exposed.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};
/** Of the one series that has these labels, among others. */
const value = (name: string, labels: Readonly<Record<string, string>> = {}, of = name): number => {
  const wanted = Object.entries(labels);
  const found = metric(of).samples.filter(
    (sample) => sample.name === name && wanted.every(([label, text]) => sample.labels[label] === text),
  );
  expect(found, `${name} ${JSON.stringify(labels)}`).toHaveLength(1);
  return found[0]?.value ?? Number.NaN;
};

/** A little of everything. */
beforeAll(async () => {
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  publish(upstream, 'left-pad', [{ version: '1.0.0', tarball: Buffer.from('left-pad 1.0.0') }]);
  publish(upstream, 'blocked', [{ version: '1.0.0', tarball: Buffer.from('blocked 1.0.0') }]);
  upstream.respond('/absent', { status: 404 });
  upstream.respond('/moody', { status: 503 });
  await server.remote('npm', 'npm', upstream.url);
  await server.put('/api/v2/hosted/own', { name: 'own', format: 'generic' });
  await server.virtual('front', 'npm', ['npm']);
  await server.put('/api/v2/blocks/b', { name: 'b', packages: ['pkg:npm/blocked'], reason: 'no' });
  await Promise.all([server.raw(TARBALL), server.raw(TARBALL)]);
  for (let asked = 0; asked < 3; asked++) await server.raw(TARBALL);
  await server.raw('/front/left-pad');
  await server.raw('/front/left-pad');
  await server.raw('/front/blocked');
  await server.raw('/front/absent');
  await server.raw('/front/moody');
  await server.raw('/front/left-pad/x/y/z');
  const bearer = { authorization: `Bearer ${server.token}` };
  await fetch(`${server.url}/own/a-1.0.0.txt`, { method: 'PUT', headers: bearer, body: 'own' });
  await server.raw('/v2/');
  await server.raw('/nowhere');
  const text = async () => (await server.get('/metrics')).text;
  // The last request is counted when its connection has taken the answer.
  await vi.waitFor(async () => expect(await text()).toContain('route="none"'));
  exposed = readExposition(await text());
});
afterAll(async () => {
  await server.stop();
  await upstream.down();
});

test('every metric is documented, and every documented metric is there, with its type', () => {
  const shape = ({ name, type }: { readonly name: string; readonly type: string }) => `${type} ${name}`;
  expect(exposed.map(shape).toSorted()).toEqual(documentedMetrics().map(shape).toSorted());
});

test('every series has the labels that are documented, no more and no fewer', () => {
  const documented = new Map(documentedMetrics().map(({ name, labels }) => [name, labels.toSorted()]));
  for (const { name, samples } of exposed) {
    for (const { labels } of samples) {
      const shown = Object.keys(labels).filter((label) => label !== 'le');
      expect(shown.toSorted(), name).toEqual(documented.get(name));
    }
  }
});

test('names follow the conventions: base units, and what only grows ends in total', () => {
  for (const { name, type, help } of exposed) {
    expect(name).toMatch(/^(entrepot|process|nodejs)_[a-z_]+$/);
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(name).not.toMatch(/milli|_ms(_|$)|minutes|kilo|mega|percent|_info_/);
  }
});

test('no label has anything of a request in it', () => {
  for (const { name, samples } of exposed) {
    for (const label of samples.flatMap(({ labels }) => Object.entries(labels))) {
      expect(label[1], name).not.toMatch(/left-pad|blocked|absent|127\.0\.0\.1|nowhere|anonymous|tgz/);
    }
  }
});

test('requests are counted by what they asked for and what came of them', () => {
  const of = (labels: Readonly<Record<string, string>>) =>
    value('entrepot_requests_total', { repository: 'front', format: 'npm', method: 'read', ...labels });
  expect(of({ kind: 'artifact', result: 'miss' }) + of({ kind: 'artifact', result: 'hit' })).toBe(5);
  expect(of({ kind: 'index', result: 'withheld' })).toBe(1);
  expect(of({ kind: 'index', result: 'not_found' })).toBe(1);
  expect(of({ kind: 'index', result: 'upstream_unavailable' })).toBe(1);
  expect(of({ kind: 'unknown', result: 'not_found' })).toBe(1);
  const own = { repository: 'own', format: 'generic', kind: 'publish', method: 'write', result: 'created' };
  expect(value('entrepot_requests_total', own)).toBe(1);
  expect(value('entrepot_served_bytes_total', { repository: 'front' })).toBeGreaterThan(5 * 14);
  const all = metric('entrepot_requests_total').samples.reduce((sum, sample) => sum + sample.value, 0);
  const timed = metric('entrepot_request_duration_seconds').samples.filter(({ name }) => name.endsWith('_count'));
  expect(timed.reduce((sum, sample) => sum + sample.value, 0)).toBe(all);
});

test('one request to the upstream for two that came together, and the other is counted as having joined', () => {
  expect(upstream.requests.filter(({ path }) => path.endsWith('.tgz'))).toHaveLength(1);
  expect(value('entrepot_joined_requests_total', { kind: 'artifact' })).toBeGreaterThanOrEqual(1);
});

test('upstreams, refusals, store and ledger are counted', () => {
  const asked = (outcome: string) =>
    value(
      'entrepot_upstream_request_duration_seconds_count',
      { repository: 'npm', outcome },
      'entrepot_upstream_request_duration_seconds',
    );
  expect(asked('2xx')).toBeGreaterThanOrEqual(3);
  expect(asked('4xx')).toBe(1);
  expect(asked('5xx')).toBe(1);
  expect(value('entrepot_upstream_retries_total', { repository: 'npm' })).toBeGreaterThan(0);
  expect(value('entrepot_upstream_received_bytes_total', { repository: 'npm' })).toBeGreaterThan(100);
  expect(value('entrepot_upstream_healthy', { repository: 'npm' })).toBe(0);
  expect(value('entrepot_upstream_breaker_open', { repository: 'npm' })).toBe(0);
  const refused = { repository: 'front', rule: 'block/b', decision: 'refused' };
  expect(value('entrepot_decisions_total', refused)).toBe(1);
  expect(value('entrepot_store_written_bytes_total')).toBeGreaterThan(100);
  expect(value('entrepot_store_blobs')).toBeGreaterThanOrEqual(2);
  const timed = 'entrepot_store_operation_duration_seconds';
  expect(value(`${timed}_count`, { operation: 'commit' }, timed)).toBeGreaterThanOrEqual(3);
  const calls = 'entrepot_ledger_call_duration_seconds';
  expect(value(`${calls}_count`, { call: 'recordObject' }, calls)).toBeGreaterThanOrEqual(2);
  expect(value('entrepot_part_healthy', { part: 'database' })).toBe(1);
});

test('the management API is counted by route, never by address', () => {
  expect(
    value('entrepot_api_requests_total', { route: '/api/v2/:collection/:name', method: 'PUT', status: '2xx' }),
  ).toBe(4);
  expect(value('entrepot_api_requests_total', { route: 'none', status: '4xx' })).toBe(1);
});

test('metrics are for the administrator', async () => {
  expect((await server.get('/metrics', { token: null })).status).toBe(401);
});

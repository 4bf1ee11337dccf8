import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { publish } from '../support/npm-package.ts';
import { TestServer } from '../support/test-server.ts';
import { TraceCollector } from '../support/trace-collector.ts';

const MAIN = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url));
const TARBALL = '/front/left-pad/-/left-pad-1.0.0.tgz';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let upstream: FakeUpstream;
let collector: TraceCollector;
const started: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  upstream = await FakeUpstream.start();
  collector = await TraceCollector.start();
  publish(upstream, 'left-pad', [{ version: '1.0.0', tarball: Buffer.from('left-pad 1.0.0') }]);
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await upstream.down();
  await collector.stop();
});

async function start(settings: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  const server = await TestServer.start({ settings: { 'telemetry.endpoint': collector.url, ...settings } });
  started.push(server);
  await server.remote('npm', 'npm', upstream.url, { auth: { type: 'bearer', token: 'hunter2-and-more' } });
  await server.virtual('front', 'npm', ['npm']);
  return server;
}

/** Stops all of them, so that what waits is sent. */
async function sent(): Promise<void> {
  for (const server of started.splice(0)) await server.stop();
}

test('a cold request is a tree: the request, the source, the upstream, store and ledger below them', async () => {
  const server = await start();
  const { status, headers } = await server.raw(`${TARBALL}?token=hunter2-and-more`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-01`, authorization: `Bearer ${server.token}` },
  });
  expect(status).toBe(200);
  await sent();
  expect([...new Set(collector.paths)]).toEqual(['/v1/traces']);
  expect(collector.resources[0]).toMatchObject({ 'service.name': 'entrepot', 'service.version': '0.1.0' });

  const trace = collector.spans.filter(({ traceId }) => traceId === TRACE);
  const [root] = trace.filter(({ parentSpanId }) => parentSpanId === PARENT);
  if (!root) throw new Error('no span has the parent that the client gave');
  expect(root).toMatchObject({ name: 'GET artifact', kind: 2, isError: false });
  expect(root.attributes).toMatchObject({
    'http.request.method': 'GET',
    'url.path': TARBALL,
    'http.response.status_code': 200,
    'entrepot.request_id': headers['x-request-id'],
    'entrepot.repository': 'front',
    'entrepot.format': 'npm',
    'entrepot.result': 'miss',
  });
  expect(collector.tree(root)).toMatchObject({
    'source artifact': { 'upstream GET': {}, 'store begin': {}, 'store commit': {}, 'ledger recordObject': {} },
    'source open': { 'upstream GET': {}, 'store begin': {} },
  });
  const asked = trace.filter(({ name }) => name === 'upstream GET');
  expect(asked.map(({ kind, attributes }) => [kind, attributes])).toEqual(
    Array.from({ length: 2 }, () => [
      3,
      {
        'entrepot.repository': 'npm',
        'http.request.method': 'GET',
        'server.address': new URL(upstream.url).host,
        'http.response.status_code': 200,
      },
    ]),
  );
  expect(JSON.stringify(collector.spans)).not.toContain('hunter2');
  expect(JSON.stringify(collector.spans)).not.toContain(server.token);
});

test('what is asked of an upstream carries no trace', async () => {
  const server = await start();
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=b', baggage: 'c=d' };
  await server.raw(TARBALL, { headers });
  const names = upstream.requests.flatMap(({ headers: received }) => Object.keys(received));
  for (const name of Object.keys(headers)) expect(names).not.toContain(name);
});

test('an answer out of memory has a span when the client asks for a trace', async () => {
  const server = await start({ 'telemetry.sample': '0' });
  for (let asked = 0; asked < 3; asked++) await server.raw(TARBALL);
  const { headers } = await server.raw(TARBALL, { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } });
  await sent();
  expect(headers['x-cache']).toBe('hit');
  expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  expect(collector.spans.map(({ name }) => name)).toContain('GET artifact');
});

test('a failure is marked as one', async () => {
  const server = await start();
  await upstream.down();
  expect((await server.raw('/npm/right-pad')).status).toBe(502);
  await sent();
  const failed = collector.spans.filter(({ isError }) => isError).map(({ name }) => name);
  expect(failed).toEqual(expect.arrayContaining(['GET index', 'source index', 'upstream GET']));
});

test('a collector that is away keeps nobody waiting', async () => {
  const server = await start({ 'telemetry.endpoint': 'http://127.0.0.1:9' });
  expect((await server.raw(TARBALL)).status).toBe(200);
});

test.each([
  ['nothing of it is loaded where nobody asks for traces', {}, false],
  ['the usual variable of OpenTelemetry asks for them', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, true],
])('%s', async (_, environment, isLoaded) => {
  const data = await mkdtemp(join(tmpdir(), 'entrepot-telemetry-'));
  const spy = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => {
      if (name.includes('opentelemetry/sdk')) process.stderr.write('loaded ' + name + '\\n');
      return next(name, context);
    } });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(spy)}`, MAIN];
  const child = spawn(process.execPath, [...args, '--listen', '127.0.0.1:0', '--data', data], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => chunk.includes('is ready at') && resolve());
    child.once('exit', () => reject(new Error(`it ended: ${said}`)));
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  await rm(data, { recursive: true });
  expect(said.includes('loaded @opentelemetry/sdk-trace')).toBe(isLoaded);
});

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request,
} from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EXAMPLE_CERTIFICATE, EXAMPLE_KEY } from '../../../src/contract/example-pem.ts';
import { Backend } from '../../support/backend.ts';
import { Nginx, nginxMissing } from '../../support/nginx.ts';

const missing = nginxMissing();
const deploy = (name: string) => new URL(`../../../../deploy/nginx/${name}`, import.meta.url);

describe.skipIf(missing !== undefined && process.env['CI'] !== 'true')(`nginx in front of two ${missing ?? ''}`, () => {
  let nginx: Nginx;
  let [one, other] = [] as unknown as [Backend, Backend];
  beforeAll(async () => {
    [one, other] = [await Backend.start(), await Backend.start()];
    nginx = await Nginx.prepare();
    await nginx.start([one.url, other.url]);
  });
  beforeEach(async () => {
    for (const backend of [one, other]) backend.answer = undefined;
  });
  afterAll(async () => {
    await nginx?.stop();
    for (const backend of [one, other]) await backend?.down();
  });

  const send = (path: string, options: RequestOptions = {}): ClientRequest => {
    const { hostname, port } = new URL(nginx.url);
    return request({ hostname, port, path, agent: false, ...options });
  };
  const answerTo = async (asked: ClientRequest): Promise<IncomingMessage> => {
    const [response] = (await once(asked.end(), 'response')) as [IncomingMessage];
    return response;
  };
  const asked = (words: string) => [...one.of(words), ...other.of(words)];
  /** Both of them answer so. */
  const answering = (answer: NonNullable<Backend['answer']>) => {
    for (const backend of [one, other]) backend.answer = answer;
  };

  test.each([
    '/npm/@team%2fwidget',
    '/npm/@team%2Fwidget/-/widget-1.0.0.tgz',
    '/go/github.com/!burnt!sushi/toml/@v/list',
    '/debian/pool/main/a%2Bb_1%3a2.0.deb?x=%2F&y=a%20b',
    '/files/a//b/%E2%82%AC;v=1',
  ])('%s goes on as the client wrote it, to read and to write', async (path) => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const before = asked(path).length;
      expect((await answerTo(send(path, { method }))).statusCode).toBe(200);
      expect(asked(path)).toHaveLength(before + 1);
    }
    expect(new Set(asked(path).map(({ url }) => url))).toEqual(new Set([path]));
  });

  test.each([
    ['PUT', true],
    ['POST', false],
    ['PATCH', false],
  ])('a large body of %s passes as it comes', async (method, announced) => {
    const piece = randomBytes(8 * 1024 * 1024);
    const [times, path] = [12, `/upload-${method}`];
    const headers = announced ? { 'content-length': piece.length * times } : {};
    const upload = send(path, { method, headers });
    const answered = once(upload, 'response');
    upload.write(piece);
    // The rest is not sent before the first piece is there.
    await expect.poll(() => asked(path)[0]?.bytes).toBe(piece.length);
    const hash = createHash('sha256').update(piece);
    for (let count = 1; count < times; count += 1) {
      hash.update(piece);
      if (!upload.write(piece)) await once(upload, 'drain');
    }
    upload.end();
    const [response] = (await answered) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(asked(path)).toMatchObject([{ method, bytes: piece.length * times, sha256: hash.digest('hex') }]);
  });

  test('an answer arrives as it is made: a download, a stream of events', async () => {
    let finish = (): void => {};
    answering((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: fetched\n\n');
      finish = () => void response.end('event: served\n\n');
    });
    const response = await answerTo(send('/api/v2/events'));
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('event: fetched\n\n');
    finish();
    expect(await text(response)).toBe('event: served\n\n');
  });

  test('ranges, tags and what an answer says of itself are not touched', async () => {
    answering(({ headers }, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-1/4', etag: '"x"', 'x-cache': 'hit', server: 'own' });
      response.end(String(headers.range).slice(-2));
    });
    const headers = { range: 'bytes=0-1', 'if-range': '"x"', 'accept-encoding': 'zstd' };
    const response = await answerTo(send('/ranged', { headers }));
    expect([response.statusCode, await text(response)]).toEqual([206, '-1']);
    expect(response.headers).toMatchObject({ 'content-range': 'bytes 0-1/4', etag: '"x"', 'x-cache': 'hit' });
    expect(asked('/ranged')[0]?.headers).toMatchObject(headers);
  });

  test('who asks is told by the proxy, whatever the client says of it', async () => {
    const headers = {
      host: 'packages.example.com',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'evil.example.com',
      'x-forwarded-proto': 'https',
      'x-request-id': 'chosen-by-the-client',
      connection: 'upgrade',
      upgrade: 'websocket',
    };
    await answerTo(send('/who', { headers }));
    const passed: IncomingHttpHeaders = asked('/who')[0]?.headers ?? {};
    expect(passed).toMatchObject({
      host: 'packages.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'packages.example.com',
      'x-forwarded-proto': 'http',
    });
    expect(passed['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(passed.upgrade).toBeUndefined();
    expect(passed.connection).not.toBe('upgrade');
  });

  test('what reads is asked of the other where one breaks off; what writes is sent once', async () => {
    one.answer = ({ socket }) => socket.destroy();
    for (let count = 0; count < 10; count += 1) {
      expect((await answerTo(send('/read'))).statusCode).toBe(200);
      expect((await answerTo(send('/read', { method: 'HEAD' }))).statusCode).toBe(200);
    }
    answering(({ socket }) => socket.destroy());
    for (const method of ['PUT', 'POST', 'DELETE']) {
      const answer = await answerTo(send(`/write-${method}`, { method }));
      expect(answer.statusCode).toBe(502);
      expect(asked(`/write-${method}`).length).toBeLessThanOrEqual(1);
    }
    expect(asked('/write-').length).toBeGreaterThan(0);
  });

  test('with one away every read is answered, and both are used again when it is back', async () => {
    await one.down();
    for (let count = 0; count < 20; count += 1) expect((await answerTo(send('/away'))).statusCode).toBe(200);
    expect(other.of('/away')).toHaveLength(20);
    await one.up();
    await expect
      .poll(async () => {
        await answerTo(send('/back'));
        return one.of('/back').length;
      })
      .toBeGreaterThan(0);
  });

  test('with a certificate it speaks HTTPS as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'entrepot-nginx-tls-'));
    const file = (name: string) => join(folder, name);
    await writeFile(file('tls.crt'), EXAMPLE_CERTIFICATE);
    await writeFile(file('tls.key'), EXAMPLE_KEY);
    const tls = (await readFile(deploy('tls.conf'), 'utf8')).replaceAll('/etc/nginx/tls', folder);
    await writeFile(file('tls.conf'), tls);
    const site = (await readFile(deploy('entrepot.conf'), 'utf8'))
      .replaceAll(/entrepot-[12]:8080/g, '127.0.0.1:1')
      .replace('/etc/nginx/entrepot.d/*.conf', file('tls.conf'));
    await writeFile(file('nginx.conf'), `pid ${file('pid')}; events {} http { ${site} }`);
    const said = execFileSync('sh', ['-c', `nginx -t -p ${folder} -c ${file('nginx.conf')} 2>&1`], {
      encoding: 'utf8',
    });
    await rm(folder, { recursive: true });
    expect(said).toContain('test is successful');
    expect(said).not.toContain('[warn]');
  });
});

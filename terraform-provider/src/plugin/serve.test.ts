import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildProvider } from '../../build.mjs';
import { selfSigned } from './certificate.ts';
import { Empty, GetProviderSchema, HealthCheck, UpgradeResourceState } from './messages.ts';
import { decode, encode } from './protobuf.ts';
import { refusal } from './serve.ts';

const COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const folder = mkdtempSync(join(tmpdir(), 'entrepot-serve-'));
let program: string;

beforeAll(async () => {
  const schema = new URL('../../test/fixtures/schema.json', import.meta.url).pathname;
  program = (await buildProvider({ outdir: join(folder, 'dist'), schema })).outfile;
});
afterAll(() => rmSync(folder, { recursive: true }));

const client = selfSigned(Date.now());
const handshake = { TF_PLUGIN_MAGIC_COOKIE: COOKIE, PLUGIN_PROTOCOL_VERSIONS: '5,6', PATH: process.env.PATH };

async function launched(
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [program], {
    env: { ...handshake, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  const line = await new Promise<string>((resolve) => child.stdout?.once('data', (chunk) => resolve(String(chunk))));
  return { child, line };
}

function secured(address: string, certificate: string): ClientHttp2Session {
  const base64 = Buffer.from(certificate, 'base64').toString('base64');
  const ca = `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  const session = connect('https://localhost', {
    createConnection: () =>
      connectTls({
        path: address,
        ca,
        key: client.keyPem,
        cert: client.certPem,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
      }),
  });
  onTestFinished(() => session.destroy());
  return session;
}

/** The status of the call, and the message if there is one. */
function call(
  session: ClientHttp2Session,
  path: string,
  message: Uint8Array,
): Promise<{ status: string; message: Buffer }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status = '';
    stream.on('error', reject);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (trailers) => (status = String(trailers['grpc-status'])));
    stream.on('end', () => resolve({ status, message: Buffer.concat(chunks).subarray(5) }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
  });
}

test('launched as Terraform does it: one line of handshake, TLS in both directions, and the services answer', async () => {
  const { child, line } = await launched({ PLUGIN_CLIENT_CERT: client.certPem });
  const [, address = '', certificate = ''] = /^1\|6\|unix\|([^|]+)\|grpc\|([A-Za-z0-9+/]+)\n$/.exec(line) ?? [];
  expect(Buffer.byteLength(address)).toBeLessThan(104);
  const session = secured(address, certificate);

  const schema = await call(session, '/tfplugin6.Provider/GetProviderSchema', new Uint8Array());
  expect(schema.status).toBe('0');
  expect(Object.keys(decode(GetProviderSchema.response, schema.message).resourceSchemas)).toEqual(['entrepot_sample']);

  const health = await call(
    session,
    '/grpc.health.v1.Health/Check',
    encode(HealthCheck.request, { service: 'plugin' }),
  );
  expect(decode(HealthCheck.response, health.message).status).toBe(1);
  expect((await call(session, '/tfplugin6.Provider/OfTomorrow', new Uint8Array())).status).toBe('12');

  const exited = new Promise((resolve) => child.once('exit', resolve));
  expect((await call(session, '/plugin.GRPCController/Shutdown', encode(Empty.request, {}))).status).toBe('0');
  expect(await exited).toBe(0);
  expect(existsSync(address)).toBe(false);
});

test('a client without the certificate is not let in', async () => {
  const { line } = await launched({ PLUGIN_CLIENT_CERT: client.certPem });
  const address = line.split('|')[3] ?? '';
  const failed = await new Promise<Error>((resolve) => {
    connectTls({ path: address, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      .once('error', resolve)
      .resume();
  });
  expect(failed.message).toMatch(/alert|certificate/);
});

test('without a client certificate it speaks in clear text', async () => {
  const { line } = await launched({});
  const [, address = ''] = /^1\|6\|unix\|([^|]+)\|grpc\|\n$/.exec(line) ?? [];
  const session = connect('http://localhost', { createConnection: () => connectSocket(address) });
  onTestFinished(() => session.destroy());
  expect((await call(session, '/tfplugin6.Provider/GetProviderSchema', new Uint8Array())).status).toBe('0');
});

test('a large message arrives whole', async () => {
  const { line } = await launched({});
  const session = connect('http://localhost', { createConnection: () => connectSocket(line.split('|')[3] ?? '') });
  onTestFinished(() => session.destroy());
  const labels = Object.fromEntries(
    Array.from({ length: 100_000 }, (_, index) => [`label${index}`, 'a value of some length']),
  );
  const request = {
    typeName: 'entrepot_sample',
    version: 0,
    rawState: { json: Buffer.from(JSON.stringify({ name: 'a', labels })) },
  };
  const { status, message } = await call(
    session,
    '/tfplugin6.Provider/UpgradeResourceState',
    encode(UpgradeResourceState.request, request),
  );
  expect(status).toBe('0');
  const { upgradedState, diagnostics } = decode(UpgradeResourceState.response, message);
  expect(diagnostics).toEqual([]);
  expect(upgradedState?.msgpack.length).toBeGreaterThan(3_000_000);
});

test('a type that this version does not have is a sentence, not a crash', async () => {
  const { line } = await launched({});
  const session = connect('http://localhost', { createConnection: () => connectSocket(line.split('|')[3] ?? '') });
  onTestFinished(() => session.destroy());
  const { message } = await call(
    session,
    '/tfplugin6.Provider/UpgradeResourceState',
    encode(UpgradeResourceState.request, { typeName: 'entrepot_tomorrow' }),
  );
  expect(decode(UpgradeResourceState.response, message).diagnostics[0]?.detail).toContain(
    'this version of the provider has no entrepot_tomorrow',
  );
});

test('interrupted at the terminal it goes on until Terraform ends it', async () => {
  const { child, line } = await launched({});
  child.kill('SIGINT');
  const session = connect('http://localhost', { createConnection: () => connectSocket(line.split('|')[3] ?? '') });
  onTestFinished(() => session.destroy());
  expect((await call(session, '/tfplugin6.Provider/StopProvider', new Uint8Array())).status).toBe('0');
});

test('started by a person, or by a Terraform that is too old, it says what it is', () => {
  expect(refusal({})).toContain('entrepot terraform install');
  expect(refusal({ ...handshake, PLUGIN_PROTOCOL_VERSIONS: '5' })).toContain('Terraform 1.0 or newer');
  expect(refusal(handshake)).toBeUndefined();
  expect(() => execFileSync(process.execPath, [program], { env: {}, stdio: 'pipe' })).toThrow(
    /This program is a Terraform provider/,
  );
});

import { mkdtempSync, rmSync } from 'node:fs';
import type { Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './certificate.ts';
import { createGrpcServer, held, type Identity, type Methods, unary } from './grpc.ts';
import { Empty, HealthCheck } from './messages.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const PROTOCOL = 6;

/** Why the program cannot serve Terraform, in a sentence for the person who started it; undefined when it can. */
export function refusal(env: Environment): string | undefined {
  if (env.TF_PLUGIN_MAGIC_COOKIE !== COOKIE) {
    return 'This program is a Terraform provider: Terraform starts it. See `entrepot terraform install`.';
  }
  const versions = (env.PLUGIN_PROTOCOL_VERSIONS ?? '').split(',');
  if (!versions.includes(String(PROTOCOL))) {
    return `This provider speaks plugin protocol ${PROTOCOL}; this Terraform offers ${versions.join(', ')}. Terraform 1.0 or newer is needed.`;
  }
  return undefined;
}

/** Serves `provider` and what go-plugin asks beside it, then says on stdout where: the handshake is one line. */
export async function servePlugin(provider: Methods, env: Environment): Promise<void> {
  const certificate = env.PLUGIN_CLIENT_CERT ? selfSigned(Date.now()) : undefined;
  const identity: Identity | undefined = certificate && { ...certificate, clientCertPem: env.PLUGIN_CLIENT_CERT ?? '' };
  const stop = (): void => {
    place.remove();
    process.exit(0);
  };
  const server = createGrpcServer({ ...provider, ...pluginMethods(stop) }, identity);
  const place = await listen(server, env);
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', stop);
  exitWithParent(stop);
  // standard base64 without padding: Terraform's decoder refuses `=`
  const trust = certificate?.der.toString('base64').replace(/=+$/, '') ?? '';
  const multiplex = env.PLUGIN_MULTIPLEX_GRPC ? '|false' : '';
  process.stdout.write(`1|${PROTOCOL}|${place.network}|${place.address}|grpc|${trust}${multiplex}\n`);
}

/** For a debugger: serves in clear text until it is ended and returns the value of TF_REATTACH_PROVIDERS. */
export async function serveDetached(provider: Methods, source: string): Promise<string> {
  const server = createGrpcServer({ ...provider, ...pluginMethods(() => undefined) }, undefined);
  const place = await listen(server, process.env);
  process.on('exit', place.remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0));
  return JSON.stringify({
    [source]: {
      Protocol: 'grpc',
      ProtocolVersion: PROTOCOL,
      Pid: process.pid,
      Test: true,
      Addr: { Network: place.network, String: place.address },
    },
  });
}

interface Place {
  readonly network: 'unix' | 'tcp';
  readonly address: string;
  readonly remove: () => void;
}

/** A socket in a folder of our own; its path must stay under 104 bytes. Windows has TCP: its Node has no AF_UNIX. */
async function listen(server: Http2Server, env: Environment): Promise<Place> {
  if (process.platform === 'win32') {
    await listening(server, { port: 0, host: '127.0.0.1' });
    return { network: 'tcp', address: `127.0.0.1:${(server.address() as AddressInfo).port}`, remove: () => undefined };
  }
  const folder = mkdtempSync(join(env.PLUGIN_UNIX_SOCKET_DIR || shortTemporary(), 'tfp'));
  const address = join(folder, 's');
  await listening(server, { path: address });
  return { network: 'unix', address, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function shortTemporary(): string {
  const folder = tmpdir();
  return Buffer.byteLength(folder) > 90 ? '/tmp' : folder;
}

function listening(server: Http2Server, at: object): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, resolve);
  });
}

function pluginMethods(stop: () => void): Methods {
  return {
    // exits after the answer has left; Terraform waits two seconds for it
    '/plugin.GRPCController/Shutdown': unary(Empty, () => {
      setTimeout(stop, 20);
      return {};
    }),
    '/plugin.GRPCStdio/StreamStdio': held,
    '/plugin.GRPCBroker/StartStream': held,
    '/grpc.health.v1.Health/Check': unary(HealthCheck, () => ({ status: 1 })),
  };
}

/** A killed Terraform says no goodbye; its orphan is adopted by another process. */
function exitWithParent(stop: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, 2000).unref();
}

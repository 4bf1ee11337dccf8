import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SlowProxy, startSlowProxy } from './slow-proxy.ts';

const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
let proxy: SlowProxy;
beforeAll(async () => {
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await startSlowProxy({ port: address.port });
});
afterAll(async () => {
  await proxy.stop();
  echo.close();
});

async function connected(): Promise<Socket> {
  const socket = dial(proxy.port, proxy.host);
  await once(socket, 'connect');
  return socket;
}

async function said(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

test('what is said passes both ways, and late when delayed', async () => {
  const socket = await connected();
  expect(await said(socket, 'hello')).toBe('hello');
  proxy.delay(200);
  const late = said(socket, 'late');
  expect(await Promise.race([late, sleep(100, 'nothing yet')])).toBe('nothing yet');
  expect(await late).toBe('late');
  await proxy.heal();
  expect(await said(socket, 'again')).toBe('again');
  socket.destroy();
});

test('refusing cuts what is open and takes nothing new until it is healed, on the same port', async () => {
  const socket = await connected();
  const cut = once(socket, 'close');
  await proxy.refuse();
  await cut;
  await expect(connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.heal();
  const next = await connected();
  expect(await said(next, 'hello')).toBe('hello');
  next.destroy();
});

test('what is held passes when it is healed', async () => {
  proxy.hold();
  const socket = await connected();
  const answer = said(socket, 'waits');
  expect(await Promise.race([answer, sleep(100, 'nothing')])).toBe('nothing');
  await proxy.heal();
  expect(await answer).toBe('waits');
  socket.destroy();
});

test('a connection is cut after so many bytes, none of them lost', async () => {
  proxy.cutAfter(6);
  const socket = await connected();
  const got: Buffer[] = [];
  socket.on('error', () => {}).on('data', (chunk) => got.push(chunk));
  const closed = once(socket, 'close');
  socket.write('0123456789');
  await closed;
  expect(Buffer.concat(got).toString()).toBe('012345');
  await proxy.heal();
});

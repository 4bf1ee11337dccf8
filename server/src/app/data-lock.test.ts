import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockData } from './data-lock.ts';

const folder = () => mkdtemp(join(tmpdir(), 'entrepot-lock-'));

test('a data folder has one owner at a time', async () => {
  const data = await folder();
  const lock = await lockData(data);
  await expect(lockData(data)).rejects.toThrow(`${data} is in use by the Entrepot with process id ${process.pid}`);
  await lock.release();
  await (await lockData(data)).release();
  expect(await readdir(data)).toEqual([]);
});

test('of many that start together one gets it', async () => {
  const data = await folder();
  await writeFile(join(data, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), began: '1' }));
  const locks = await Promise.allSettled(Array.from({ length: 8 }, () => lockData(data)));
  expect(locks.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('the lock of a killed process is taken over at once', async () => {
  const data = await folder();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  const owner = JSON.stringify({ pid: child.pid, host: hostname(), began: '' });
  await writeFile(join(data, 'lock'), owner);
  await expect(lockData(data)).rejects.toThrow(`process id ${child.pid}`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await lockData(data);
  expect(JSON.parse(await readFile(join(data, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
});

test('another process that got the same id is not the owner', async () => {
  const data = await folder();
  await writeFile(join(data, 'lock'), JSON.stringify({ pid: process.ppid, host: hostname(), began: '1' }));
  await (await lockData(data)).release();
});

test('on another host the heartbeat decides', async () => {
  const data = await folder();
  const path = join(data, 'lock');
  await writeFile(path, JSON.stringify({ pid: 1, host: 'another-host', began: '1' }));
  await expect(lockData(data)).rejects.toThrow('process id 1 on another-host');
  const before = new Date(Date.now() - 60_000);
  await utimes(path, before, before);
  await (await lockData(data)).release();
});

test('in another container of the same host name the heartbeat decides', async () => {
  const data = await folder();
  const path = join(data, 'lock');
  await writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), began: '1', pids: 'pid:[1]' }));
  await expect(lockData(data)).rejects.toThrow('is in use');
  const before = new Date(Date.now() - 60_000);
  await utimes(path, before, before);
  await (await lockData(data)).release();
});

test('a lock that is no lock is replaced', async () => {
  const data = await folder();
  await writeFile(join(data, 'lock'), 'x');
  await (await lockData(data)).release();
});

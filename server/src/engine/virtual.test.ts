import { expect, test } from 'vitest';
import { Fault } from './fault.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget } from './format.ts';
import type { Ask, Source } from './source.ts';
import { VirtualSource } from './virtual.ts';

const ask: Ask = { now: 0, requestId: 'r', principal: 'anonymous' };
const express: IndexTarget = { kind: 'index', path: 'express', name: 'express', scope: 'package', view: 'full' };
const tarball: ArtifactTarget = {
  kind: 'artifact',
  path: 'express/-/express-1.0.0.tgz',
  name: 'express',
  role: 'package',
};
const format = { roster: (name: string) => [{ ...express, path: name, name }] } as unknown as AnyFormat;

function member(name: string, answer: 'has' | Fault) {
  const asked: string[] = [];
  const answered = <Answer>(what: string, value: Answer): Promise<Answer> => {
    asked.push(what);
    return answer === 'has' ? Promise.resolve(value) : Promise.reject(answer);
  };
  const source: Source = {
    index: (target) =>
      answered(`index ${target.path}`, {
        members: [{ repository: name, documents: [], rules: [], options: {} }],
        cache: 'hit',
        freshUntil: 1,
      }),
    artifact: (target) =>
      answered(`artifact ${target.path}`, {
        repository: name,
        file: { path: target.path, role: 'package' },
        open: () => Promise.reject(new Error('not opened')),
      }),
    call: () => answered('call', { bytes: name, type: 'text/plain' }),
  };
  return { name, source, asked };
}

const absent = new Fault('not_found', 'no such package');
const down = new Fault('upstream_unavailable', 'down');

test('the first member that has the name owns it, for index and bytes alike; the others are not asked', async () => {
  const [none, first, second] = [member('none', absent), member('first', 'has'), member('second', 'has')];
  const virtual = new VirtualSource('npm', format, [none, first, second]);
  expect((await virtual.index(express, ask)).members[0]?.repository).toBe('first');
  expect((await virtual.artifact(tarball, ask)).repository).toBe('first');
  expect(none.asked).not.toContain('artifact express/-/express-1.0.0.tgz');
  expect(second.asked).toEqual([]);
});

test('a member that cannot say stops the search: its name is never handed to the next', async () => {
  const next = member('public', 'has');
  const virtual = new VirtualSource('npm', format, [member('private', down), next]);
  for (const asked of [virtual.index(express, ask), virtual.artifact(tarball, ask)]) {
    await expect(asked).rejects.toMatchObject({ code: 'upstream_unavailable', details: { member: 'private' } });
  }
  expect(next.asked).toEqual([]);
});

test('a refusal of the owner is final', async () => {
  const next = member('public', 'has');
  const virtual = new VirtualSource('npm', format, [member('private', new Fault('withheld', 'blocked')), next]);
  await expect(virtual.artifact(tarball, ask)).rejects.toMatchObject({ code: 'withheld' });
  expect(next.asked).toEqual([]);
});

test('what no member has is not found', async () => {
  const virtual = new VirtualSource('npm', format, [member('a', absent), member('b', absent)]);
  await expect(virtual.index(express, ask)).rejects.toMatchObject({ code: 'not_found' });
});

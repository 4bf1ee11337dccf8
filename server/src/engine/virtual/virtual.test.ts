import { describe, expect, test } from 'vitest';
import { Fault } from '../fault.ts';
import { FileTable } from '../file-table.ts';
import type { AnyFormat, ArtifactTarget, IndexTarget } from '../format.ts';
import { packFiles } from '../listed-files.ts';
import type { Ask, Source } from '../source.ts';
import { UnionSource } from './union.ts';
import { VirtualSource } from './virtual.ts';

const ask: Ask = { now: 0, requestId: 'r', principal: 'anonymous' };
const express: IndexTarget = { kind: 'index', path: 'express', name: 'express', scope: 'package', view: 'full' };
const tarball: ArtifactTarget = {
  kind: 'artifact',
  path: 'express/-/express-1.0.0.tgz',
  name: 'express',
  role: 'package',
};
const format = {
  roster: (name: string) => [{ ...express, path: name, name }],
  factsOf: ({ name }: ArtifactTarget) => (name === undefined ? [] : [{ ...express, path: name, name }]),
} as unknown as AnyFormat;

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
  for (const asked of [() => virtual.index(express, ask), () => virtual.artifact(tarball, ask)]) {
    const outage = { status: 503, code: 'unavailable', details: { member: 'private', retryAfter: 5 } };
    await expect(asked()).rejects.toMatchObject(outage);
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

describe('a union', () => {
  const union = (...members: ReturnType<typeof member>[]) => {
    const files = new FileTable();
    const virtual = new UnionSource('npm', format, members, files);
    const lists = (name: string, ...paths: string[]) => {
      const versionOf = (path: string) => path.replace(/^.*-|\.tgz$/g, '');
      const listed = paths.map((path) => ({
        path,
        role: 'package' as const,
        name: 'express',
        version: versionOf(path),
      }));
      files.put(name, 'express', 'one', packFiles(listed));
    };
    return { virtual, lists };
  };

  test('has the documents of every member that has the name, in their order', async () => {
    const { virtual } = union(member('a', 'has'), member('b', absent), member('c', 'has'));
    const listing = await virtual.index(express, ask);
    expect(listing.members.map(({ repository }) => repository)).toEqual(['a', 'c']);
  });

  test('is as fresh as its oldest part, and says so', async () => {
    const [a, b] = [member('a', 'has'), member('b', 'has')];
    const older = async () => ({ members: [], cache: 'stale' as const, freshUntil: 0 });
    const { virtual } = union(a, { ...b, source: { ...b.source, index: older } });
    expect(await virtual.index(express, ask)).toMatchObject({ cache: 'stale', freshUntil: 0 });
  });

  test('of which a member cannot say is not answered, whatever the others have', async () => {
    for (const members of [
      [member('a', 'has'), member('b', down)],
      [member('b', down), member('a', 'has')],
    ]) {
      const outage = { code: 'unavailable', details: { member: 'b' } };
      await expect(union(...members).virtual.index(express, ask)).rejects.toMatchObject(outage);
    }
  });

  test('gives a file of the first member that lists it, without opening those of others', async () => {
    const [a, b, c] = [member('a', 'has'), member('b', 'has'), member('c', 'has')];
    const { virtual, lists } = union(a, b, c);
    lists('a', 'express/-/express-0.9.0.tgz');
    lists('b', tarball.path);
    lists('c', tarball.path);
    expect((await virtual.artifact(tarball, ask)).repository).toBe('b');
    expect([a.asked, c.asked]).toEqual([['index express'], []]);
  });

  test('gives what a name was resolved to from the member that said so, and from no other', async () => {
    const [a, b] = [member('a', 'has'), member('b', 'has')];
    const { virtual, lists } = union(a, b);
    lists('a', tarball.path);
    expect((await virtual.artifact(tarball, { ...ask, member: 'b' })).repository).toBe('b');
    expect((await virtual.index(express, { ...ask, member: 'b' })).members[0]?.repository).toBe('b');
    expect(a.asked).toEqual([]);
  });

  test('gives no file while a member before cannot say whether it lists it', async () => {
    const { virtual, lists } = union(member('a', down), member('b', 'has'));
    lists('b', tarball.path);
    await expect(virtual.artifact(tarball, ask)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('passes over a member that withholds a file, and says why when no other lists it', async () => {
    const withholding = member('a', 'has');
    const refuse = () => Promise.reject(new Fault('withheld', 'blocked'));
    const a = { ...withholding, source: { ...withholding.source, artifact: refuse } };
    const { virtual, lists } = union(a, member('b', 'has'));
    lists('a', tarball.path);
    lists('b', tarball.path);
    expect((await virtual.artifact(tarball, ask)).repository).toBe('b');
    const alone = union(a, member('b', absent));
    await expect(alone.virtual.artifact(tarball, ask)).rejects.toMatchObject({ code: 'withheld' });
  });

  test('what no member has is not found', async () => {
    const { virtual } = union(member('a', absent), member('b', absent));
    for (const asked of [virtual.index(express, ask), virtual.artifact(tarball, ask)])
      await expect(asked).rejects.toMatchObject({ code: 'not_found' });
  });
});

import { expect, test } from 'vitest';
import { SILENT } from '../engine/events.ts';
import { Fault } from '../engine/fault.ts';
import { formats } from '../formats/all.ts';
import {
  type Ledger,
  LedgerError,
  type Marks,
  type ResourceChange,
  type ResourceRow,
  RevisionConflict,
} from '../ledger/ledger.ts';
import type { Change, Expected } from './change.ts';
import { Configuration, type ServedRepository } from './configuration.ts';
import { makeDefaults } from './defaults.ts';

const URL = 'https://upstream.test';
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const ABSENT: Expected = { state: 'absent', otherwise: 'conflict' };

/** Rows as the ledger keeps them. */
class Rows implements Pick<Ledger, 'resources' | 'change' | 'marks' | 'fact' | 'setFact'> {
  readonly rows = new Map<string, ResourceRow>();
  readonly facts = new Map<string, string>();
  broken: Error | undefined;
  #revision = 0;

  async resources(): Promise<ResourceRow[]> {
    return [...this.rows.values()];
  }

  async change(changes: readonly ResourceChange[], at: number): Promise<ResourceRow[]> {
    if (this.broken) throw this.broken;
    for (const one of changes) {
      const actual = this.rows.get(`${one.kind}/${one.name}`)?.revision ?? 'absent';
      if (one.expect !== undefined && one.expect !== actual) throw new RevisionConflict(one.kind, one.name, actual);
    }
    return changes.flatMap((one) => {
      const key = `${one.kind}/${one.name}`;
      this.#revision += 1;
      if (one.op === 'delete') {
        this.rows.delete(key);
        return [];
      }
      const { kind, name, spec, managedBy, retiring = false } = one;
      const row = {
        kind,
        name,
        spec,
        managedBy,
        retiring,
        revision: this.#revision,
        createdAt: this.rows.get(key)?.createdAt ?? at,
        updatedAt: at,
      };
      this.rows.set(key, row);
      return [row];
    });
  }

  async marks(): Promise<Marks> {
    return { revision: this.#revision, removals: 0 };
  }

  async fact(key: string): Promise<string | undefined> {
    return this.facts.get(key);
  }

  async setFact(key: string, value: string): Promise<void> {
    this.facts.set(key, value);
  }
}

async function started(ledger = new Rows()) {
  let served: readonly ServedRepository[] = [];
  let isOurs: boolean | undefined;
  const told: number[] = [];
  let time = 1_000;
  const configuration = await Configuration.open({
    ledger,
    serve: (repositories, _policy, ours) => {
      served = repositories;
      isOurs = ours;
    },
    changed: (revision) => told.push(revision),
    events: SILENT,
    log: silent,
    now: () => time,
  });
  return {
    ledger,
    configuration,
    served: () => served.map(({ name }) => name),
    isOurs: () => isOurs,
    told,
    specs: () => served,
    pass: (ms: number) => (time += ms),
  };
}

const put = (kind: string, spec: Record<string, unknown>, extra: Partial<Change> = {}) =>
  ({ op: 'put', kind, name: String(spec['name']), spec, ...extra }) as Change;
const remote = (name: string, spec: Record<string, unknown> = {}, extra?: Partial<Change>) =>
  put('remote', { name, format: 'npm', url: URL, ...spec }, extra);
const virtual = (name: string, members: string[], spec: Record<string, unknown> = {}) =>
  put('virtual', { name, format: 'npm', members, ...spec });
const gone = (kind: string, name: string, extra: Partial<Change> = {}) =>
  ({ op: 'delete', kind, name, ...extra }) as Change;

async function refusal(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Fault)) throw error ?? new Error('it was not refused');
  return error;
}

test('what is put is served with its defaults, members before what has them, and comes back as declared', async () => {
  const { configuration, served, specs } = await started();
  await configuration.changeAll([virtual('outer', ['inner']), virtual('inner', ['a']), remote('a')]);
  expect(served()).toEqual(['a', 'inner', 'outer']);
  expect(specs()[0]?.spec['index_ttl']).toBe('5m');
  expect(configuration.resource('remote', 'a')?.spec).toEqual({ name: 'a', format: 'npm', url: URL });
});

test('the same spec again changes nothing, also when it is written differently', async () => {
  const { configuration, ledger } = await started();
  await configuration.change(remote('a'));
  const again = await configuration.change(put('remote', { url: URL, index_ttl: '5m', format: 'npm', name: 'a' }));
  expect(again).toMatchObject({ changed: false, created: false });
  expect(ledger.rows.get('remote/a')?.revision).toBe(1);
  expect(configuration.snapshot.revision).toBe(1);
});

test('two changes at one revision: one is made, the other learns of it', async () => {
  const { configuration } = await started();
  await configuration.change(remote('a'));
  const at: Expected = { state: 'at', revisions: [1] };
  const [first, second] = await Promise.allSettled([
    configuration.change(remote('a', { index_ttl: '1m' }, { expected: at })),
    configuration.change(remote('a', { index_ttl: '2m' }, { expected: at })),
  ]);
  expect(first.status).toBe('fulfilled');
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'precondition_failed' } });
  expect(configuration.resource('remote', 'a')?.spec['index_ttl']).toBe('1m');
});

test('what another process declared is served when that is looked for, and not emptied as if it were removed here', async () => {
  const ledger = new Rows();
  const [one, other] = [await started(ledger), await started(ledger)];
  await one.configuration.changeAll([remote('a'), remote('b')]);
  await one.configuration.change(gone('remote', 'b'));
  const { revision } = await ledger.marks();
  expect(other.served()).toEqual([]);
  await other.configuration.refresh(revision);
  expect(other.served()).toEqual(['a']);
  expect(other.configuration.snapshot.revision).toBe(revision);
  expect([one.isOurs(), other.isOurs()]).toEqual([true, false]);
});

test('a change finds what another process declared meanwhile', async () => {
  const ledger = new Rows();
  const [one, other] = [await started(ledger), await started(ledger)];
  await one.configuration.change(remote('a'));
  await other.configuration.change(remote('b'));
  expect(other.served()).toEqual(['a', 'b']);
  await one.configuration.refresh((await ledger.marks()).revision);
  expect(one.served()).toEqual(['a', 'b']);
});

test('others are told of the revision that a change led to, of a dry run nothing', async () => {
  const { configuration, told } = await started();
  await configuration.changeAll([remote('a'), remote('b')]);
  await configuration.change(remote('c'), { dryRun: true });
  await configuration.change(gone('remote', 'a'));
  expect(told).toEqual([2, 3]);
});

test('another process was faster: the change is refused and its state is read', async () => {
  const { configuration, ledger, served } = await started();
  await configuration.change(remote('a'));
  await ledger.change(
    [{ op: 'put', kind: 'remote', name: 'b', spec: { name: 'b', format: 'npm' }, managedBy: 'api' }],
    5,
  );
  expect((await refusal(configuration.change(remote('b')))).code).toBe('conflict');
  expect(served()).toEqual(['a', 'b']);
});

test('a ledger that cannot write changes nothing that is served', async () => {
  const { configuration, ledger, served } = await started();
  ledger.broken = new LedgerError('the disk is full: free space');
  const fault = await refusal(configuration.change(remote('a')));
  expect(fault).toMatchObject({ code: 'unavailable', message: 'nothing was changed: the disk is full: free space' });
  expect(served()).toEqual([]);
  ledger.broken = undefined;
  expect((await configuration.change(remote('a'))).created).toBe(true);
});

test.each([
  [
    'a member that does not exist',
    virtual('v', ['a', 'npm-pubic']),
    'members.1 names "npm-pubic", which does not exist: did you mean npm-public?',
  ],
  ['itself', virtual('v', ['v']), 'members.0 names the virtual itself'],
  [
    'a member of another format',
    virtual('v', ['a', 'p']),
    'members.1 names "p", which is of format pypi; this virtual is of format npm',
  ],
  ['a circle', virtual('inner', ['outer']), 'members.0 closes a circle: inner → outer → inner'],
  [
    'a name of another kind',
    virtual('a', ['npm-public']),
    'there is a remote called "a" already: repositories share one space of names',
  ],
  [
    'another format than it has',
    remote('a', { format: 'generic' }),
    'format is set at creation only and is "npm": delete the remote and create it anew',
  ],
  [
    'a name that is not the one in the address',
    { ...remote('a'), name: 'b' },
    'name must be b, the name in the address',
  ],
])('a virtual or remote with %s is refused', async (_, change, message) => {
  const { configuration } = await started();
  await configuration.changeAll([
    remote('a'),
    remote('npm-public'),
    remote('p', { format: 'pypi' }),
    virtual('inner', ['a']),
    virtual('outer', ['inner']),
  ]);
  expect((await refusal(configuration.change(change as Change))).message).toBe(message);
});

test('what is in use is not deleted, and the answer says who uses it', async () => {
  const { configuration } = await started();
  await configuration.changeAll([remote('a'), virtual('v', ['a'])]);
  const fault = await refusal(configuration.change(gone('remote', 'a')));
  expect(fault.code).toBe('conflict');
  expect(fault.details['users']).toEqual([{ kind: 'virtual', name: 'v' }]);
});

test('a retired remote serves until its last user goes, and counts as gone before', async () => {
  const { configuration, served, ledger } = await started();
  await configuration.changeAll([remote('a'), remote('b'), virtual('v', ['a', 'b']), virtual('w', ['a'])]);
  await configuration.change(gone('remote', 'a', { inUse: 'retire' }));
  expect(configuration.resource('remote', 'a')).toBeUndefined();
  expect(served()).toEqual(['b', 'a', 'v', 'w']);
  expect((await refusal(configuration.change(gone('remote', 'a')))).code).toBe('not_found');
  expect((await refusal(configuration.change(virtual('x', ['a'])))).message).toContain('which is being deleted');
  await configuration.change(virtual('v', ['b', 'a']));
  await configuration.change(gone('virtual', 'w'));
  expect(served()).toContain('a');
  await configuration.change(virtual('v', ['b']));
  expect(served()).toEqual(['b', 'v']);
  expect(ledger.rows.has('remote/a')).toBe(false);
});

test('creating a retired remote revives it, in its own format only, without the old secrets', async () => {
  const { configuration } = await started();
  await configuration.changeAll([remote('a', { auth: { type: 'bearer', token: 'secret' } }), virtual('v', ['a'])]);
  await configuration.change(gone('remote', 'a', { inUse: 'retire' }));
  const other = await refusal(configuration.change(remote('a', { format: 'generic' }, { expected: ABSENT })));
  expect(other.message).toBe('format must be npm: virtual "v" of that format still names it');
  expect((await configuration.change(remote('a', {}, { expected: ABSENT }))).created).toBe(true);
  expect(configuration.resource('remote', 'a')?.spec['auth']).toBeUndefined();
});

test('a protected resource is deleted only after its protection is taken away', async () => {
  const { configuration, served } = await started();
  await configuration.change(remote('a', { deletion_protection: true }));
  expect((await refusal(configuration.change(gone('remote', 'a', { inUse: 'retire' })))).message).toContain(
    'deletion_protection',
  );
  await configuration.change(remote('a', { deletion_protection: false }));
  await configuration.change(gone('remote', 'a'));
  expect(served()).toEqual([]);
});

test('a set is made whole or not at all, and every refusal says where', async () => {
  const { configuration, served } = await started();
  const fault = await refusal(
    configuration.changeAll([remote('a'), remote('b', { index_ttl: 'soon' }), virtual('v', ['c'])]),
  );
  expect(fault.code).toBe('invalid');
  expect(fault.details.errors?.map(({ path }) => path)).toEqual([
    [1, 'spec', 'index_ttl'],
    [2, 'spec', 'members', 0],
  ]);
  expect(served()).toEqual([]);
});

test('a set that is not atomic answers each, in an order in which they can succeed', async () => {
  const { configuration, served } = await started();
  await configuration.changeAll([remote('old'), virtual('v', ['old']), virtual('outer', ['v'])]);
  const attempts = await configuration.changeEach([
    gone('remote', 'old'),
    gone('virtual', 'v'),
    gone('virtual', 'outer'),
    virtual('n', ['m', 'new']),
    virtual('m', ['new']),
    remote('new'),
    remote('bad', { format: 'nmp' }),
  ]);
  expect(attempts.map((attempt) => ('fault' in attempt ? attempt.fault.code : 'made'))).toEqual([
    ...Array(6).fill('made'),
    'invalid',
  ]);
  expect(served()).toEqual(['new', 'm', 'n']);
});

test('a key makes a retry harmless for an hour, and belongs to one change', async () => {
  const { configuration, pass } = await started();
  const create = remote('a', {}, { expected: ABSENT, key: 'k' });
  const first = await configuration.change(create);
  expect(await configuration.change(structuredClone(create))).toEqual(first);
  expect((await refusal(configuration.change(remote('b', {}, { key: 'k' })))).code).toBe('conflict');
  pass(3_600_001);
  expect((await refusal(configuration.change(create))).message).toContain('exists already');
});

test('a dry run says what would be and changes nothing', async () => {
  const { configuration, served, ledger } = await started();
  const outcome = await configuration.change(remote('a'), { dryRun: true });
  expect(outcome).toMatchObject({ changed: true, created: true, row: { name: 'a' } });
  expect(served()).toEqual([]);
  expect(ledger.rows.size).toBe(0);
});

test('the first start makes defaults, once; a create takes them over, a deletion lasts', async () => {
  const { configuration, ledger, served } = await started();
  const both = formats.filter(({ id }) => id === 'npm' || id === 'pypi');
  const defaults = { configuration, ledger, formats: both, log: silent };
  await makeDefaults(defaults);
  expect(served()).toEqual(['npm-public', 'npm', 'pypi-public', 'pypi']);
  const spec = configuration.resource('remote', 'npm-public')?.spec ?? {};
  const taken = await configuration.change(put('remote', spec, { expected: ABSENT }));
  expect(taken).toMatchObject({ changed: true, created: true, row: { managedBy: 'api' } });
  await configuration.change(gone('virtual', 'pypi'));
  await makeDefaults(defaults);
  expect(configuration.resource('virtual', 'pypi')).toBeUndefined();
});

test('defaults never stand against what is declared already', async () => {
  const { configuration, ledger } = await started();
  await configuration.change(remote('npm'));
  await makeDefaults({ configuration, ledger, formats, log: silent });
  expect(configuration.resource('remote', 'npm')).toMatchObject({ managedBy: 'api' });
  expect(configuration.resource('virtual', 'npm')).toBeUndefined();
  expect(configuration.resource('virtual', 'pypi')).toMatchObject({ managedBy: 'defaults' });
});

test('what a file declares is changed there only', async () => {
  const { configuration } = await started();
  await configuration.change(remote('a'), { managedBy: 'file' });
  for (const change of [remote('a', { index_ttl: '1m' }), gone('remote', 'a')]) {
    expect((await refusal(configuration.change(change))).message).toContain(
      'is declared in a file of the installation',
    );
  }
});

test('the revision grows with a deletion, and over a restart', async () => {
  const { configuration, ledger } = await started();
  await configuration.changeAll([remote('a'), remote('b')]);
  await configuration.change(gone('remote', 'b'));
  expect(configuration.snapshot.revision).toBe(3);
  expect((await started(ledger)).configuration.snapshot.revision).toBe(3);
});

test('a resource of a format this version does not have stays declared and is not served', async () => {
  const ledger = new Rows();
  await ledger.change(
    [{ op: 'put', kind: 'remote', name: 'x', spec: { name: 'x', format: 'later', url: URL }, managedBy: 'api' }],
    1,
  );
  const { configuration, served } = await started(ledger);
  expect(served()).toEqual([]);
  expect(configuration.resource('remote', 'x')).toBeDefined();
  await configuration.change(gone('remote', 'x'));
});

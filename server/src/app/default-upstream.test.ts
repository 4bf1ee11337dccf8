import { expect, test } from 'vitest';
import type { AnyFormat, Traits } from '../engine/format.ts';
import { formats } from '../formats/all.ts';
import { defaultUpstream } from './default-upstream.ts';

const of = (upstream?: Traits['upstream']) => defaultUpstream({ traits: upstream ? { upstream } : {} } as AnyFormat);

test.each(formats.filter(({ traits }) => traits.upstream))(
  'the public registry of $id is an address of its own, over HTTPS',
  (format) => {
    const url = defaultUpstream(format);
    expect(url).toMatch(/^https:\/\/[a-z0-9.-]+(?:\/[a-z0-9]+)*$/);
    const others = formats.filter((other) => other !== format).map(defaultUpstream);
    expect(others).not.toContain(url);
  },
);

test('a format without a public registry has none', () => {
  expect(of()).toBeUndefined();
});

test('an address that may be written down is taken as it is', () => {
  expect(of({ url: 'https://upstream.test/packages/' })).toBe('https://upstream.test/packages');
});

test('a registry may be another host of the same site', () => {
  const [bare, index] = [of({ sample: 'pkg:npm/a@1.0.0' }), of({ sample: 'pkg:npm/a@1.0.0', subdomain: 'index' })];
  expect(index).toBe(bare?.replace('https://', 'https://index.'));
});

test('a registry may lie in a folder of its host', () => {
  const bare = of({ sample: 'pkg:maven/a/b@1' });
  expect(bare).toMatch(/^https:\/\/[a-z0-9.-]+$/);
  expect(of({ sample: 'pkg:maven/a/b@1', file: 'a/b/1/b-1.jar' })?.slice(bare?.length)).toMatch(/^\/[a-z0-9]+$/);
});

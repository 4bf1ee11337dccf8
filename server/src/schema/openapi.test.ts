import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { kinds } from './kinds.ts';
import { openapi } from './openapi.ts';
import { componentName, operations } from './operations.ts';
import { validate } from './schema.ts';

const document = openapi({ version: '1.2.3', url: 'https://packages.example.com' });

test('the document is OpenAPI 3.1', async () => {
  const outcome = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
  expect(outcome.errors).toBeUndefined();
  expect(outcome.valid).toBe(true);
  expect(document.info['version']).toBe('1.2.3');
});

test('everything it refers to is in it', () => {
  const text = JSON.stringify(document);
  const refs = [...text.matchAll(/"\$ref":"#\/components\/([a-z]+)\/([A-Za-z]+)"/gi)];
  expect(refs.length).toBeGreaterThan(20);
  for (const [, section, name] of refs) expect(document.components[section ?? '']).toHaveProperty(name ?? '');
});

test('every component schema is used', () => {
  const text = JSON.stringify(document);
  for (const name of Object.keys(document.components['schemas'] ?? {})) {
    expect(text).toContain(`"#/components/schemas/${name}"`);
  }
});

test('every call has its own id, its tag, and a parameter for each place in its path', () => {
  const all = operations();
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  for (const { path, tag, parameters = [] } of all) {
    expect(document.tags.map(({ name }) => name)).toContain(tag);
    const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => name);
    expect(inPath).toEqual([...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name));
  }
});

test('calls that change or show anything need a token', () => {
  const open = operations().filter((each) => each.open);
  expect(open.map(({ path }) => path)).toEqual(['/health', '/health/live', '/ready', '/openapi.json']);
  for (const { path, method } of open) expect(document.paths[path]?.[method]?.['security']).toEqual([]);
  expect(document.security).toEqual([{ token: [] }]);
});

/** Ajv reads the same schemas as a client's generator would. */
function accepts(kind: string, spec: unknown): boolean {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schemas = document.components['schemas'] ?? {};
  return ajv.validate(schemas[`${componentName(kind)}Spec`] ?? false, spec);
}

test.each([
  ['remote', { name: 'a', format: 'npm' }, true],
  [
    'remote',
    { name: 'p', format: 'pypi', pypi: { json_api: false }, timeouts: { idle: '5s' }, labels: { a: 'b' } },
    true,
  ],
  ['remote', { name: 'a', format: 'npm', index_ttl: '5 m' }, false],
  ['remote', { name: 'a', format: 'npm', index_tll: '5m' }, false],
  ['remote', { name: 'a', format: 'nmp' }, false],
  ['remote', { name: 'a', format: 'npm', labels: { A: 'b' } }, false],
  ['virtual', { name: 'v', format: 'npm', members: ['a'] }, true],
  ['virtual', { name: 'v', format: 'npm', members: [] }, false],
])('a %s %j is judged by the document as by the server', (kind, spec, accepted) => {
  expect(accepts(kind, spec)).toBe(accepted);
  if (accepted) expect(validate(kind, spec)).toEqual(spec);
  else expect(() => validate(kind, spec)).toThrow('is not valid');
});

test('secrets are written, never read', () => {
  const schemas = document.components['schemas'] as Record<string, { properties: Record<string, never> }>;
  const auth = schemas['RemoteSpec']?.properties['auth'] as unknown as { properties: Record<string, unknown> };
  expect(auth.properties['token']).toMatchObject({ writeOnly: true });
  expect(auth.properties['username']).not.toHaveProperty('writeOnly');
});

test('a kind has its five calls', () => {
  for (const { kind, collection } of kinds()) {
    expect(Object.keys(document.paths[`/api/v2/${collection}`] ?? {})).toEqual(['get', 'post']);
    expect(Object.keys(document.paths[`/api/v2/${collection}/{name}`] ?? {})).toEqual(['get', 'put', 'delete']);
    expect(operations().map(({ id }) => id)).toContain(`put_${kind}`);
  }
});

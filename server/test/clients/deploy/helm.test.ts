import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadSettings } from '../../../src/app/settings.ts';
import { Chart, type Manifest, type PodsOf } from '../../support/chart.ts';
import { clientTool, FreshMachine } from '../../support/clients.ts';
import { deployed } from '../../support/compose-file.ts';
import { optionsOf, typedLines } from '../../support/deployment-doc.ts';

const SINGLE = { baseUrl: 'https://packages.example.com' };
const SEVERAL = {
  mode: 'ha',
  'secrets.existingSecret': 'entrepot',
  'ingress.enabled': 'true',
  'ingress.host': 'packages.example.com',
  'ingress.tlsSecret': 'packages-tls',
  'journal.existingClaim': 'journal',
};
const EVERYTHING = {
  ...SEVERAL,
  'ingress.className': 'nginx',
  'ingress.annotations.a': 'b',
  'service.annotations.a': 'b',
  'persistence.storageClass': 'fast',
  'persistence.annotations.a': 'b',
  'image.pullSecrets[0].name': 'pull',
  'serviceAccount.annotations.a': 'b',
  'serviceMonitor.enabled': 'true',
  'serviceMonitor.labels.release': 'prometheus',
  'prometheusRule.enabled': 'true',
  'prometheusRule.labels.release': 'prometheus',
  'networkPolicy.enabled': 'true',
  'networkPolicy.from[0].podSelector.matchLabels.a': 'b',
  'podAnnotations.a': 'b',
  'podLabels.a': 'b',
  'nodeSelector.a': 'b',
  'tolerations[0].key': 'a',
  'tolerations[0].operator': 'Exists',
  'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight': '1',
  'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].key': 'a',
  'affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator':
    'Exists',
  'extraEnv[0].name': 'AWS_ACCESS_KEY_ID',
  'extraEnv[0].valueFrom.secretKeyRef.name': 's3',
  'extraEnv[0].valueFrom.secretKeyRef.key': 'id',
  priorityClassName: 'high',
  'settings.storage.max_size': '400GB',
  'settings.trusted_proxies[0]': '10.0.0.0/8',
};
/** What a Secret would hold. */
const SECRET: Readonly<Record<string, string>> = {
  'database-url': 'postgres://entrepot:secret@postgres/entrepot',
  'storage-url': 's3://key:secret@packages?endpoint=https://s3.example.com',
  'redis-url': 'redis://redis:6379/0',
  'secret-key': 'k'.repeat(32),
  'admin-token': 't'.repeat(32),
};

let machine: FreshMachine;
let chart: Chart;
let validate: string;

beforeEach(async (context) => {
  const helm = clientTool(context, 'helm/helm', 'npm run clients -- helm');
  validate = clientTool(
    context,
    'kubernetes-validate/bin/kubernetes-validate',
    'npm run clients -- kubernetes-validate',
  );
  machine = await FreshMachine.create();
  chart = new Chart(machine, helm);
});
afterEach(() => machine?.remove());

const of = (manifests: readonly Manifest[], kind: string) => manifests.filter((manifest) => manifest.kind === kind);
const podsOf = (manifests: readonly Manifest[]) => of(manifests, 'StatefulSet')[0]?.spec as PodsOf;
const containerOf = (manifests: readonly Manifest[]) => {
  const [container] = podsOf(manifests).template.spec.containers;
  if (!container) throw new Error('no container');
  return container;
};

/** What the server makes of the variables and the file it is given. */
async function settingsOf(manifests: readonly Manifest[]) {
  const [map] = of(manifests, 'ConfigMap');
  await writeFile(join(machine.project, 'entrepot.yaml'), map?.data?.['entrepot.yaml'] ?? '');
  const env = Object.fromEntries(
    containerOf(manifests).env.map(({ name, value, valueFrom }) => [
      name,
      value ?? SECRET[valueFrom?.secretKeyRef.key ?? ''],
    ]),
  );
  expect(env['ENTREPOT_CONFIG']).toBe('/etc/entrepot/entrepot.yaml');
  return loadSettings({ env: { ...env, ENTREPOT_CONFIG: 'entrepot.yaml' }, cwd: machine.project });
}

test('helm finds nothing wrong with the chart', async () => {
  for (const values of [SINGLE, SEVERAL, EVERYTHING]) {
    const { code, text } = await chart.run(['lint', '--strict', '--quiet'], values);
    expect(text).not.toMatch(/\[(WARNING|ERROR)\]/);
    expect(code).toBe(0);
  }
});

test.each([
  ['1.25', SINGLE],
  ['1.25', EVERYTHING],
  ['1.37', SINGLE],
  ['1.37', EVERYTHING],
])('Kubernetes %s knows every word of what it renders', async (version, values) => {
  await machine.write({ 'all.yaml': await chart.rendered(values) });
  const command = [validate, '--strict', '--no-warn', '--kubernetes-version', `${version}.0`, 'all.yaml'];
  const { code, text } = await machine.run(command, { PYTHONPATH: join(validate, '../..') });
  expect(text.replace(/^INFO .*\n/gm, '')).toBe('');
  expect(text.match(/^INFO /gm)?.length).toBeGreaterThanOrEqual(5);
  expect(code).toBe(0);
});

test('by default it is one process that needs nothing else', async () => {
  const manifests = await chart.manifests(SINGLE);
  expect(manifests.map(({ kind }) => kind).sort()).toEqual([
    'ConfigMap',
    'Service',
    'Service',
    'ServiceAccount',
    'StatefulSet',
  ]);
  expect(podsOf(manifests).replicas).toBe(1);
  const settings = await settingsOf(manifests);
  expect([settings.database.kind, settings.storage.kind]).toEqual(['sqlite', 'file']);
  expect(settings).toMatchObject({ baseUrl: SINGLE.baseUrl, data: '/data', listen: { host: '0.0.0.0', port: 8080 } });
});

test('several are on what the Secret names, with a journal that outlives them', async () => {
  const manifests = await chart.manifests(EVERYTHING);
  expect(podsOf(manifests).replicas).toBe(2);
  expect(of(manifests, 'PodDisruptionBudget')).toHaveLength(1);
  const settings = await settingsOf(manifests);
  expect([settings.database.kind, settings.storage.kind]).toEqual(['postgres', 's3']);
  expect(settings).toMatchObject({ baseUrl: 'https://packages.example.com', trustedProxies: ['10.0.0.0/8'] });
  const { env, volumeMounts } = containerOf(manifests);
  expect(env).toContainEqual({ name: 'ENTREPOT_JOURNAL', value: '/journal' });
  expect(volumeMounts).toContainEqual({ name: 'journal', mountPath: '/journal' });
});

test('the container has no rights, writes to its volumes only, and is restarted for nothing that is away', async () => {
  const manifests = await chart.manifests(SEVERAL);
  const { securityContext, livenessProbe, readinessProbe } = containerOf(manifests);
  expect(securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  const [, user] = /^USER (\d+):/m.exec(deployed('Dockerfile')) ?? [];
  expect(podsOf(manifests).template.spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    runAsUser: Number(user),
  });
  expect(livenessProbe).toMatchObject({ httpGet: { path: '/health/live' } });
  expect(readinessProbe).toMatchObject({ httpGet: { path: '/ready' } });
  expect(podsOf(manifests).template.spec.terminationGracePeriodSeconds).toBeGreaterThan(45);
});

test('Prometheus reads the metrics with the token, under the name by which the alarms go, which are those of the project', async () => {
  const manifests = await chart.manifests(EVERYTHING);
  const [monitor] = of(manifests, 'ServiceMonitor');
  expect(monitor?.spec).toMatchObject({
    jobLabel: 'app.kubernetes.io/name',
    endpoints: [
      { port: 'http', path: '/metrics', authorization: { credentials: { name: 'entrepot', key: 'admin-token' } } },
    ],
  });
  const { selector } = (monitor?.spec ?? {}) as { selector?: { matchLabels: Record<string, string> } };
  const matching = of(manifests, 'Service').filter(({ metadata: { labels = {} } }) =>
    Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
  );
  expect(matching.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'])).toEqual(['entrepot']);
  expect(of(manifests, 'PrometheusRule')[0]?.spec).toEqual(parse(deployed('server/deploy/prometheus-rules.yml')));
});

test.each([
  ['no address', {}, /baseUrl is missing: set it to the address by which clients reach Entrepot/],
  ['several and no Secret', { ...SINGLE, mode: 'ha' }, /existingSecret/],
  ['several that are one', { ...SEVERAL, replicas: '1' }, /replicas/],
  ['a value that is none', { ...SINGLE, replica: '3' }, /replica/],
  ['a secret among the settings', { ...SINGLE, 'settings.admin_token': 'x' }, /admin_token/],
  [
    'metrics without a token',
    { ...SINGLE, 'serviceMonitor.enabled': 'true' },
    /serviceMonitor needs secrets\.existingSecret/,
  ],
])('with %s it says what is wrong', async (_, values: Readonly<Record<string, string>>, words) => {
  const { code, text } = await chart.run(['template', 'packages'], values);
  expect(text).toMatch(words);
  expect(code).not.toBe(0);
});

test('what the deployment page has one type is accepted', async () => {
  const lines = typedLines().filter((line) => line.startsWith('helm '));
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) {
    const values = Object.fromEntries(optionsOf(line, 'set').map((pair) => pair.split('=') as [string, string]));
    await chart.rendered(line.includes('--reuse-values') ? { ...SINGLE, ...values } : values);
  }
  const [secret = ''] = typedLines().filter((line) => line.startsWith('kubectl create secret'));
  const keys = optionsOf(secret.replaceAll('--from-literal=', '--from-literal '), 'from-literal');
  expect(keys.map((pair) => pair.split('=')[0]).sort()).toEqual(Object.keys(SECRET).sort());
});

test('after the installation it says where it serves and where the token is', async () => {
  for (const values of [SINGLE, SEVERAL]) {
    const { code, text } = await chart.run(['install', '--dry-run=client', 'packages'], values);
    expect(code, text).toBe(0);
    expect(text).toContain('Entrepot serves at https://packages.example.com');
    expect(text).toContain('exec packages-entrepot-0 -- cat /data/admin-token');
  }
});

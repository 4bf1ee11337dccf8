import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/app/settings.ts';
import { composeFile, deployed, filledExample, interpolated, variablesOf } from '../support/compose-file.ts';

const TEXT = deployed('docker-compose.yml');
const { services, volumes, networks } = composeFile();
const all = Object.entries(services);
const [one, other] = [services['entrepot-1'], services['entrepot-2']];
const staying = all.filter(([, { restart }]) => restart !== 'on-failure');

describe('the compose file', () => {
  test('asks for every secret, and says what to do about one that is missing', () => {
    const required = [...variablesOf(TEXT)].filter(([, { otherwise }]) => otherwise === undefined);
    expect(required.map(([name]) => name).sort()).toEqual([
      'ENTREPOT_ADMIN_TOKEN',
      'ENTREPOT_BASE_URL',
      'ENTREPOT_SECRET_KEY',
      'MINIO_PASSWORD',
      'POSTGRES_PASSWORD',
      'REDIS_PASSWORD',
    ]);
    for (const [name, { help }] of required) {
      expect(help, name).toMatch(/^set it in \.env/);
      expect(() => interpolated(TEXT, { ...filledExample(), [name]: '' })).toThrow(`${name}: set it in .env`);
    }
  });

  test('has an example with every variable, at its default', () => {
    const example = deployed('deploy/compose/env.example');
    for (const [name, { otherwise }] of variablesOf(TEXT)) {
      const line = otherwise === undefined ? `^${name}=` : `^#${name}=${otherwise}$`;
      expect(example).toMatch(new RegExp(line, 'm'));
    }
    const named = [...example.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual([...variablesOf(TEXT).keys()].toSorted());
  });

  test('starts replicas with settings that there are, and that fit together', () => {
    const env = { ...one?.environment, ENTREPOT_LISTEN: '0.0.0.0:8080', ENTREPOT_DATA: '/data' };
    const settings = loadSettings({ env, cwd: '/' });
    expect(settings.database.kind).toBe('postgres');
    expect(settings.storage).toMatchObject({
      kind: 's3',
      address: { bucket: 'entrepot', endpoint: 'http://minio:9000' },
    });
    expect(settings.baseUrl).toBe('http://packages.example.com:8080');
    expect(services['bucket']?.environment?.['MC_HOST_store']).toContain('@minio:9000');
  });

  test('gives both replicas the same but a name, an address and a data folder', () => {
    const same = (service: typeof one) => ({ ...service, hostname: '', volumes: [], networks: {} });
    expect(same(one)).toEqual(same(other));
    expect(one?.volumes).toEqual(['entrepot-1:/data', 'journal:/journal']);
    expect(other?.volumes).toEqual(['entrepot-2:/data', 'journal:/journal']);
    expect(one?.environment?.['ENTREPOT_JOURNAL']).toBe('/journal');
    expect(Number.parseInt(one?.stop_grace_period ?? '', 10)).toBeGreaterThan(30);
  });

  test('publishes nothing but nginx, whose upstreams are the replicas and whose address they trust', () => {
    expect(all.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['nginx']);
    const upstreams = [...deployed('deploy/nginx/entrepot.conf').matchAll(/^ {2}server (\S+):(\d+) /gm)];
    const replicas = all.filter(([, { image }]) => image === one?.image).map(([name]) => name);
    expect(upstreams.map(([, name]) => name)).toEqual(replicas);
    const [, port] = /ENTREPOT_LISTEN=\S+:(\d+)/.exec(deployed('Dockerfile')) ?? [];
    expect(new Set(upstreams.map(([, , at]) => at))).toEqual(new Set([port]));
    const addressOf = (name: string) =>
      Object.entries(services[name]?.networks ?? {}).find(([net]) => net === 'front')?.[1];
    expect(addressOf('nginx')).toEqual({ ipv4_address: one?.environment?.['ENTREPOT_TRUSTED_PROXIES'] });
    expect(networks['back']?.internal).toBe(true);
  });

  test.each(all)('keeps %s from writing to its image, gaining rights and taking all memory', (_, service) => {
    expect(service.read_only).toBe(true);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.tmpfs).toContain('/tmp');
    expect(service.deploy?.resources.limits.memory).toMatch(/^\d+[MG]$/);
    expect(service.image).toMatch(/:(?!latest$)[\w.-]+$|^entrepot:latest$/);
  });

  test.each(staying)('checks the health of %s, starts it again, and waits for what it needs', (_, service) => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test[0]).toBe('CMD');
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(services[name], name).toBeDefined();
      expect(condition).toBe(services[name]?.healthcheck ? 'service_healthy' : 'service_completed_successfully');
    }
  });

  test('asks the replicas for their health as the image does', () => {
    const [, ofImage = '[]'] = /^HEALTHCHECK .* CMD (\[.*\])$/m.exec(deployed('Dockerfile')) ?? [];
    expect(one?.healthcheck?.test).toEqual(['CMD', ...(JSON.parse(ofImage) as string[])]);
  });

  test('declares every volume that is used', () => {
    const used = all.flatMap(([, service]) => service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
    const named = used.filter((name) => !name.startsWith('.'));
    expect([...new Set(named)].toSorted()).toEqual(Object.keys(volumes).toSorted());
  });

  test('gives the image the arguments that its file has', () => {
    const known = [...deployed('Dockerfile').matchAll(/^ARG (\w+)/gm)].map(([, name]) => name);
    for (const name of Object.keys(one?.build?.args ?? {})) expect(known).toContain(name);
  });
});

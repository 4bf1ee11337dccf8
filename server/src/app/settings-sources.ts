import { unknownName } from '../contract/index.ts';
import { type Given, readSettingsFile } from './settings-file.ts';
import { SETTINGS, type Setting } from './settings-table.ts';

export interface SettingsSources {
  /** By setting: `{ 'log.level': 'debug' }`; see `parseFlags`. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether standard output is a terminal: decides the default of `log.format`. */
  readonly terminal?: boolean;
}

export interface GivenSettings {
  readonly given: ReadonlyMap<string, Given>;
  readonly file: string | undefined;
}

/** Of other programs of the project, read elsewhere. */
const OTHER_VARIABLES = new Set([
  'ENTREPOT_CONFIG',
  'ENTREPOT_URL',
  'ENTREPOT_TOKEN',
  'ENTREPOT_CA_PEM',
  'ENTREPOT_OIDC_TOKEN',
  'ENTREPOT_CLIENTS',
]);

/** Kubernetes sets such variables in every pod for a Service named `entrepot` or `entrepot-…`. */
const SERVICE_LINK = /^ENTREPOT(_.+)?_(SERVICE_(HOST|PORT(_.+)?)|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** What file, environment and flags say, the later over the earlier; `problems` gets what is wrong with them. */
export function gather(sources: SettingsSources, problems: string[]): GivenSettings {
  const config = sources.flags?.['config'];
  const origin = config !== undefined ? 'flag --config' : 'environment ENTREPOT_CONFIG';
  const named = config ?? (sources.env['ENTREPOT_CONFIG'] || undefined);
  const file = readSettingsFile(sources.cwd, named === undefined ? undefined : { path: named, origin }, problems);
  const given = new Map([
    ...fromWiderUse(sources),
    ...file.given,
    ...fromEnvironment(sources, problems),
    ...fromFlags(sources, problems),
  ]);
  return { given, file: file.path };
}

function fromEnvironment({ env, cwd }: SettingsSources, problems: string[]): [string, Given][] {
  return Object.entries(env).flatMap(([variable, value]): [string, Given][] => {
    if (!variable.startsWith('ENTREPOT_') || !value || OTHER_VARIABLES.has(variable)) return [];
    const setting = SETTINGS.find(({ env: name }) => name === variable);
    if (setting) return [[setting.key, { value, origin: `environment ${variable}`, folder: cwd }]];
    if (!SERVICE_LINK.test(variable)) {
      problems.push(
        `environment ${variable} ${unknownName(
          variable,
          SETTINGS.map(({ env: name }) => name),
        )}`,
      );
    }
    return [];
  });
}

function fromWiderUse({ env, cwd }: SettingsSources): [string, Given][] {
  return SETTINGS.flatMap(({ key, also }): [string, Given][] => {
    const value = also === undefined ? undefined : env[also];
    return value ? [[key, { value, origin: `environment ${also}`, folder: cwd }]] : [];
  });
}

function fromFlags({ flags = {}, cwd }: SettingsSources, problems: string[]): [string, Given][] {
  return Object.entries(flags).flatMap(([key, value]): [string, Given][] => {
    if (key === 'config') return [];
    const setting = SETTINGS.find((each) => each.key === key);
    if (setting) return [[key, { value, origin: `flag ${flagOf(setting)}`, folder: cwd }]];
    problems.push(
      `flag --${key} ${unknownName(
        key,
        SETTINGS.map((each) => each.key),
      )}`,
    );
    return [];
  });
}

/** `--log-level` */
export function flagOf({ key }: Pick<Setting, 'key'>): string {
  return `--${key.replaceAll(/[._]/g, '-')}`;
}

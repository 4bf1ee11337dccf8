import type { Answer, Scene } from './scene.ts';

/** A way of asking for a file, besides its address. */
export interface Manner {
  readonly name: string;
  readonly method?: string;
  headers(known: Answer | undefined): Readonly<Record<string, string>>;
}

const always = (headers: Readonly<Record<string, string>>) => (): Readonly<Record<string, string>> => headers;

const tagOf = (known: Answer | undefined): string => String(known?.headers.etag ?? '"0"');

/** `known`: the answer by which a client got it once. */
export const MANNERS: readonly Manner[] = [
  { name: 'GET', headers: always({}) },
  { name: 'HEAD', method: 'HEAD', headers: always({}) },
  { name: 'its first bytes', headers: always({ range: 'bytes=0-15' }) },
  { name: 'its last bytes', headers: always({ range: 'bytes=-16' }) },
  { name: 'bytes it does not have', headers: always({ range: 'bytes=99999999-' }) },
  {
    name: 'the rest of what it has begun',
    headers: (known) => ({ range: 'bytes=32-', 'if-range': tagOf(known) }),
  },
  { name: 'whether it changed', headers: (known) => ({ 'if-none-match': tagOf(known) }) },
  { name: 'whether there is any', headers: always({ 'if-none-match': '*' }) },
  { name: 'whether it changed since', headers: always({ 'if-modified-since': new Date().toUTCString() }) },
  {
    name: 'HEAD, whether it changed',
    method: 'HEAD',
    headers: (known) => ({ 'if-none-match': tagOf(known) }),
  },
  { name: 'it packed', headers: always({ 'accept-encoding': 'gzip, br', accept: '*/*' }) },
];

export function askIn(
  scene: Scene,
  address: string,
  { method = 'GET', headers }: Manner | PlainManner,
  known?: Answer,
) {
  return scene.ask(address, headers(known), method);
}

type PlainManner = Pick<Manner, 'headers'> & { readonly method?: 'HEAD' };

/** An address otherwise written; some mean the same, some nothing, and none may mean the file when a rule refuses that. */
export function spellingsOf(mount: string, path: string): readonly string[] {
  const segments = path.slice(1).split('/');
  const last = segments.at(-1) as string;
  const folder = `/${segments.slice(0, -1).join('/')}`;
  const escaped = (text: string, upper: boolean) => {
    const code = text.charCodeAt(0).toString(16);
    return `%${upper ? code.toUpperCase() : code}${text.slice(1)}`;
  };
  return [
    path.replaceAll('/', '%2f').replace('%2f', '/'),
    path.replaceAll('/', '%2F').replace('%2F', '/'),
    `${folder}%2f${last}`,
    `/%2f${path.slice(1)}`,
    path.replaceAll('/', '%252f').replace('%252f', '/'),
    `${folder}/${escaped(last, false)}`,
    `${folder}/${escaped(last, true)}`,
    path.replaceAll('.', '%2e'),
    path.replaceAll('-', '%2D').replaceAll('@', '%40').replaceAll('!', '%21'),
    path.replaceAll('@', '%40').replaceAll(':', '%3a'),
    path.replaceAll(':', '%3A'),
    `/${path}`,
    `${folder}//${last}`,
    `/.${path}`,
    `${folder}/./${last}`,
    `${folder}/%2e/${last}`,
    `/x/..${path}`,
    `/x/%2e%2e${path}`,
    `${folder}/x/../${last}`,
    `/..${mount}${path}`,
    `${path}/`,
    `${path}/.`,
    `${path}%2f`,
    `${path}?x=1`,
    `${path}?`,
    `${path};x=1`,
    `${path}%00`,
    `${path}%20`,
    `${path}.`,
    path.replaceAll('/', '\\').replace('\\', '/'),
    path.replaceAll('/', '%5c').replace('%5c', '/'),
    `${folder}/${last.toUpperCase()}`,
    path.toUpperCase(),
    path.toLowerCase(),
    path.replaceAll('-', '_'),
    path.replaceAll('_', '-'),
    `${path}#x`,
  ];
}

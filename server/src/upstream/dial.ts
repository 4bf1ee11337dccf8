import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import { isPublicAddress } from './addresses.ts';
import { type Route, UpstreamError } from './upstream.ts';

interface Resolved {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Every address of a name; rejects with the resolver's own error. */
export type Lookup = (hostname: string) => Promise<readonly Resolved[]>;

export const lookupByTheSystem: Lookup = async (hostname) => {
  const found = await systemLookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

export interface Dialling {
  readonly route: Route;
  readonly origin: string;
  readonly lookup: Lookup;
  readonly connections: number;
  /** Milliseconds a new connection took. */
  readonly connected: (took: number) => void;
}

/** Idle connections are kept this long; milliseconds. */
const KEEP_ALIVE = 20_000;

/** Connections to one origin on one route. Throws `tls` when the route's certificates cannot be used. */
export function dial({ route, origin, lookup, connections, connected }: Dialling): Dispatcher {
  const common = { keepAliveTimeout: KEEP_ALIVE, connections, pipelining: 1, allowH2: false };
  const tls = contextOf(route, route.origin === origin);
  if (route.proxyUrl !== undefined) {
    const ofProxy = contextOf(route, false);
    return new ProxyAgent({
      ...common,
      uri: route.proxyUrl,
      connectTimeout: route.timeouts.connect,
      requestTls: { allowH2: false, ...(tls === undefined ? {} : { secureContext: tls }) },
      proxyTls: { allowH2: false, ...(ofProxy === undefined ? {} : { secureContext: ofProxy }) },
    });
  }
  const connect = buildConnector({
    timeout: route.timeouts.connect,
    allowH2: false,
    lookup: checked(lookup, route.allowPrivateNetwork),
    ...(tls === undefined ? {} : { secureContext: tls }),
  });
  return new Pool(origin, {
    ...common,
    connect: (options, callback) => {
      const began = performance.now();
      connect(options, (...result) => {
        connected(performance.now() - began);
        callback(...result);
      });
    },
  });
}

/** What is checked here is what is dialled: a name that resolves differently a moment later changes nothing. */
function checked(lookup: Lookup, allowPrivateNetwork: boolean): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async (): Promise<readonly Resolved[]> => {
      const found = await lookup(hostname);
      const allowed = allowPrivateNetwork ? found : found.filter(({ address }) => isPublicAddress(address));
      if (allowed.length === 0) throw nothingAllowed(hostname, found);
      return allowed;
    };
    answer().then(
      (allowed) => {
        const first = allowed[0] as Resolved;
        if (options.all) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}

function nothingAllowed(hostname: string, found: readonly Resolved[]): UpstreamError {
  const address = found[0]?.address;
  if (address === undefined)
    return new UpstreamError('unresolved', `The name ${hostname} has no address: check the remote's url, and DNS.`);
  return new UpstreamError('private_address', privateMessage(hostname, address));
}

/** `address`: what the name resolved to, unless it is an address itself. */
export function privateMessage(hostname: string, address = hostname): string {
  const is = address === hostname ? `${hostname} is` : `${hostname} resolves to ${address}, which is`;
  return `${is} an address of a private network: set allow_private_network on the remote if that is meant.`;
}

/** `ca_pem` comes besides the usual authorities; the client certificate is shown to the remote's own origin only. */
function contextOf({ caPem, clientCert }: Route, isOwnOrigin: boolean): SecureContext | undefined {
  const shown = isOwnOrigin ? clientCert : undefined;
  if (caPem === undefined && shown === undefined) return undefined;
  try {
    return createSecureContext({
      ...(caPem === undefined ? {} : { ca: [...getCACertificates('default'), caPem] }),
      ...(shown === undefined ? {} : { cert: shown.certPem, key: shown.keyPem }),
    });
  } catch (error) {
    const message = `The remote's ${shown === undefined ? 'ca_pem' : 'ca_pem or client_cert'} cannot be used.`;
    throw new UpstreamError('tls', message, { cause: error });
  }
}

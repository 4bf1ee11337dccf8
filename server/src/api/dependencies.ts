import type { FactoryProvider, ValueProvider } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { Access } from '../access/access.ts';
import type { Configuration } from '../app/configuration.ts';
import type { EventFeed } from '../app/event-feed.ts';
import type { Simulations } from '../app/simulation/simulations.ts';
import type { Engine } from '../engine/engine.ts';
import type { Log } from '../engine/log.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Backups } from '../maintenance/backup.ts';
import type { Space } from '../space/space.ts';
import type { Health } from './health-checks.ts';

/** What controllers are given. Injection is by these tokens only: nothing reads `design:type`. */
export const ACCESS = Symbol('access');
export const BACKUPS = Symbol('backups');
export const CLOCK = Symbol('clock');
export const CONFIGURATION = Symbol('configuration');
export const ENGINE = Symbol('engine');
export const FEED = Symbol('feed');
export const HEALTH = Symbol('health');
export const JOURNAL = Symbol('journal');
export const LEDGER = Symbol('ledger');
export const LIMITS = Symbol('limits');
export const LOG = Symbol('log');
export const METRICS = Symbol('metrics');
export const SIMULATIONS = Symbol('simulations');
export const SITE = Symbol('site');
export const SPACE = Symbol('space');

export interface ApiDeps {
  readonly access: Access;
  readonly backups: Pick<Backups, 'make'>;
  readonly configuration: Configuration;
  readonly now: () => number;
  readonly engine: Pick<Engine, 'alerted' | 'evict' | 'explain' | 'probe' | 'status'>;
  readonly feed: EventFeed;
  readonly health: Health;
  /** Pulls on their way into the ledger. */
  readonly journal: { drain(): Promise<void> };
  readonly ledger: Ledger;
  /** Bytes. */
  readonly limits: { readonly store?: number };
  readonly log: Log;
  readonly metrics: Registry;
  readonly simulations: Simulations;
  readonly site: Site;
  readonly space: Pick<Space, 'status' | 'verification'>;
}

export interface Site {
  /** Scheme and authority of the address that clients are given, without a trailing slash; known once it listens. */
  readonly origin: string;
  readonly version: string;
}

export function providers(deps: ApiDeps): readonly (ValueProvider | FactoryProvider)[] {
  return [
    { provide: ACCESS, useValue: deps.access },
    { provide: BACKUPS, useValue: deps.backups },
    { provide: CLOCK, useValue: deps.now },
    { provide: CONFIGURATION, useValue: deps.configuration },
    { provide: ENGINE, useValue: deps.engine },
    { provide: FEED, useValue: deps.feed },
    { provide: HEALTH, useValue: deps.health },
    { provide: JOURNAL, useValue: deps.journal },
    { provide: LEDGER, useValue: deps.ledger },
    { provide: LIMITS, useValue: deps.limits },
    { provide: LOG, useValue: deps.log },
    { provide: METRICS, useValue: deps.metrics },
    { provide: SIMULATIONS, useValue: deps.simulations },
    { provide: SITE, useValue: deps.site },
    { provide: SPACE, useValue: deps.space },
  ];
}

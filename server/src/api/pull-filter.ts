import type { PullFilter } from '../ledger/ledger.ts';
import { packageFilter } from './package-filter.ts';
import { type Query, wrong } from './query.ts';

/** The parameters that say of which pulls; what was decided of them is another. */
export const SUBJECTS = ['purl', 'digest', 'repository', 'principal', 'consumer', 'since', 'until'] as const;

export function pullFilter(query: Query): PullFilter {
  const named = packageFilter(query);
  const digest = digestOf(query);
  const texts = (['repository', 'principal', 'consumer'] as const).map((name) => [name, query.text(name)] as const);
  const [since, until] = [query.time('since'), query.time('until')];
  if (since !== undefined && until !== undefined && since >= until) {
    throw wrong([{ path: ['until'], message: 'must be after since' }]);
  }
  return {
    ...(named === undefined ? {} : { package: named.package }),
    ...(named?.version === undefined ? {} : { version: named.version }),
    ...(digest === undefined ? {} : { digest }),
    ...Object.fromEntries(texts.filter(([, value]) => value !== undefined)),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
}

function digestOf(query: Query): string | undefined {
  const given = query.text('digest')?.toLowerCase();
  if (given !== undefined && !/^sha256:[0-9a-f]{64}$/.test(given)) {
    throw wrong([{ path: ['digest'], message: 'must be sha256: and 64 hexadecimal digits' }]);
  }
  return given;
}

export function afterOf(query: Query): string | undefined {
  const given = query.text('after');
  if (given !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(given)) {
    throw wrong([{ path: ['after'], message: 'must be next of the answer before' }]);
  }
  return given;
}

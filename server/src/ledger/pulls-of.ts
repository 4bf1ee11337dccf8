import type { PulledBy, PullGroup } from './ledger.ts';

/** Between the parts of a pull, and between pulls. In no header: a consumer is what a client says in one. */
export const FIELD = '\u001f';
export const PULL = '\u001e';

/** Who pulled, and when. */
export function pullsOf({ each }: Pick<PullGroup, 'each'>): readonly PulledBy[] {
  return each.split(PULL).map((pull) => {
    const [at, principal = '', consumer = ''] = pull.split(FIELD);
    return { at: Number(at), principal, ...(consumer === '' ? {} : { consumer }) };
  });
}

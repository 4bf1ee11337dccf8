import { type Ruleset, refusal } from '../policy/rules.ts';
import { Fault } from './fault.ts';
import type { ArtifactTarget, Body, CallTarget, IndexTarget } from './format.ts';
import type { Ask, Delivery, Listing, Source } from './source.ts';

/** The one place where policy decides: the rules that hide a file from an index refuse its bytes. */
export class GuardedSource implements Source {
  constructor(
    readonly inner: Source,
    readonly rules: Ruleset,
  ) {}

  async index(target: IndexTarget, ask: Ask): Promise<Listing> {
    const listing = await this.inner.index(target, ask);
    return {
      ...listing,
      members: listing.members.map((member) => ({ ...member, rules: [...member.rules, this.rules] })),
    };
  }

  async artifact(target: ArtifactTarget, ask: Ask): Promise<Delivery> {
    const delivery = await this.inner.artifact(target, ask);
    const { path, name, version } = delivery.file;
    const { tag, alias } = target;
    const asked = alias === undefined ? [path] : [path, alias];
    const refused = asked.map((spelling) => refusal({ path: spelling, name, tag }, [this.rules])).find(Boolean);
    if (refused) {
      throw new Fault('withheld', `${refused.reason}.`, {
        details: { rule: refused.rule, package: name, version, repository: delivery.repository },
      });
    }
    return delivery;
  }

  call(target: CallTarget, ask: Ask): Promise<Body> {
    return this.inner.call(target, ask);
  }
}

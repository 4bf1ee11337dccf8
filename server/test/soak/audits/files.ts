import { repositoriesOf } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask } from '../wire.ts';
import type { Release } from '../world.ts';

/** Every file of the world comes from every server as it is; one whose blob was harmed may be wrong until that was found. */
export async function auditFiles(session: Session): Promise<{ readonly files: number }> {
  const { world, damage, findings } = session;
  const releases = world.packages.flatMap((one) => world.releases(one, Date.now()));
  for (const release of releases) {
    for (const { said, sha256 } of await wrongAnswers(session, release))
      if (sha256 === '' || !damage.explains(release.contents.digest('sha256')))
        findings.add('a file is not right in the end', said);
  }
  return { files: releases.length };
}

/** What was harmed has been found: it is fetched again, and right. */
export async function auditHealed(session: Session): Promise<{ readonly healed: number }> {
  const { world, damage, findings } = session;
  const releases = world.packages.flatMap((one) => world.releases(one, Date.now()));
  const harmed = releases.filter(({ contents }) => damage.has(contents.digest('sha256')));
  for (const release of harmed)
    for (const { said } of await wrongAnswers(session, release))
      findings.add('a blob that was harmed was verified, and is not right after it', said);
  return { healed: harmed.length };
}

interface WrongAnswer {
  readonly said: string;
  /** Of a complete file; empty: there was none. */
  readonly sha256: string;
}

async function wrongAnswers({ addresses }: Session, release: Release): Promise<readonly WrongAnswer[]> {
  const { ecosystem, contents } = release;
  const right = contents.digest('sha256');
  const path = `/${repositoriesOf(ecosystem.format)[0]}${ecosystem.artifactPath(release)}`;
  const wrong: WrongAnswer[] = [];
  for (const address of addresses) {
    const { status, complete, sha256, headers, trouble } = await ask({ url: `${address}${path}` });
    const isWhole = status === 200 && complete;
    if (isWhole && sha256 === right) continue;
    const reason = String(headers['x-entrepot-reason'] ?? trouble ?? '');
    const said = `${address}${path}: ${status} ${sha256} ${reason}, expected ${right}`;
    wrong.push({ said, sha256: isWhole ? sha256 : '' });
  }
  return wrong;
}

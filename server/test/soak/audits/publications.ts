import { HOSTED } from '../repositories.ts';
import type { Session } from '../session.ts';
import { ask } from '../wire.ts';

/** Every release whose publication was acknowledged is there, byte for byte, and listed; any other is so or not there at all. */
export async function auditPublications(session: Session): Promise<{ readonly publications: number }> {
  const { publications, addresses, findings } = session;
  for (const { path, contents, acknowledgedAt } of publications.all) {
    for (const address of addresses) {
      const { status, complete, sha256 } = await ask({ url: `${address}${path}` });
      const right = contents.digest('sha256');
      if (complete && status === 200 && sha256 === right) continue;
      if (complete && status === 404 && acknowledgedAt === undefined) continue;
      const isLost = complete && status === 404;
      findings.add(
        isLost ? 'a publication that was acknowledged is lost' : 'a publication is not as it was sent',
        `${address}${path}: ${status} ${sha256}, expected ${right}`,
      );
    }
  }
  await listings(session);
  return { publications: publications.acknowledged.length };
}

async function listings({ publications, addresses, findings }: Session): Promise<void> {
  const own = publications.acknowledged.filter(({ repository }) => repository === HOSTED.npm);
  for (const name of new Set(own.map((one) => one.name))) {
    for (const path of addresses.flatMap((address) => [
      `${address}/${HOSTED.npm}/${name}`,
      `${address}/npm-all/${name}`,
    ])) {
      const heard = await ask({ url: path, kept: true });
      const isRead = heard.complete && heard.status === 200;
      const { versions } = (isRead ? JSON.parse(heard.body.toString('utf8')) : { versions: {} }) as {
        versions: object;
      };
      const lacking = own.filter((one) => one.name === name && !(one.version in versions));
      if (lacking.length === 0) continue;
      const lost = lacking.map(({ version }) => version).join(', ');
      findings.add('an index lacks what was published', `${path}: ${heard.status}, without ${lost}`);
    }
  }
}

import type { ArtifactTarget } from '../format.ts';
import type { FileFacts } from '../source.ts';

/** What a request says of a file by itself, where no index describes it. */
export function factsOfTarget(target: ArtifactTarget): FileFacts {
  return {
    path: target.path,
    role: target.role,
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(target.version === undefined ? {} : { version: target.version }),
    ...(target.digest === undefined ? {} : { digest: target.digest }),
  };
}

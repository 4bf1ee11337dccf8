import { readFileSync } from 'node:fs';

const UNREACHABLE_AFTER_MS = 20_000;
const NETWORK_ERROR =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/;

/** Reads npm's log (`--loglevel=http`) as it is written: how many tarballs came, and whether the registry answers at all. */
export class NpmLog {
  fetched = 0;
  #failingSince;

  /** @param {string} line */
  take(line) {
    if (/^npm http (fetch GET [1-4]\d\d|cache) /.test(line)) this.#failingSince = undefined;
    if (/^npm http fetch GET .* attempt \d+ failed with /.test(line)) this.#failingSince ??= Date.now();
    if (/^npm http .*\.tgz\b.*\(cache/.test(line) || /^npm http cache .*\.tgz\b/.test(line)) this.fetched += 1;
  }

  /** npm tries each package of hundreds in turn; once nothing has been answered for a while, none will be. */
  get unreachable() {
    return this.#failingSince !== undefined && Date.now() - this.#failingSince > UNREACHABLE_AFTER_MS;
  }
}

/** What went wrong, for a person: the cause in one line, then what npm said about it. */
export function describeFailure(path, code) {
  const lines = readFileSync(path, 'utf8').split('\n');
  const said = lines.filter(
    (line) => line && !/^npm (http|warn|WARN) /.test(line) && !/^npm (error|ERR!) +at /.test(line),
  );
  const network = NETWORK_ERROR.exec([...said, ...lines.filter((line) => / failed with /.test(line))].join('\n'))?.[1];
  const cause = network
    ? `The package registry could not be reached (${network}): check the network, or npm's registry and proxy settings, and run the same command again.`
    : `npm ended with code ${code}, so nothing was started.`;
  const tail = (said.length > 0 ? said : lines.filter((line) => / failed with /.test(line))).slice(-15);
  return `${cause}\n\nThe end of ${path}:\n${tail.join('\n')}`;
}

import { Controller, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../engine/fault.ts';
import type { Log } from '../engine/log.ts';
import { LedgerError } from '../ledger/ledger.ts';
import { BLOB_CHOICES } from '../maintenance/archive.ts';
import { type Backup, type Backups, BackupUnderWay } from '../maintenance/backup.ts';
import { StoreError } from '../store/store.ts';
import { BACKUPS, LOG } from './dependencies.ts';
import { Query } from './query.ts';

/** The ledger as it is now, while it is used. */
@Controller('api/v2/backup')
export class BackupController {
  readonly #backups: Pick<Backups, 'make'>;
  readonly #log: Log;

  constructor(@Inject(BACKUPS) backups: Pick<Backups, 'make'>, @Inject(LOG) log: Log) {
    this.#backups = backups;
    this.#log = log;
  }

  @Post()
  @HttpCode(200)
  async make(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<NodeJS.ReadableStream> {
    const query = new Query(request.url, ['blobs', 'secrets']);
    const wishes = { blobs: query.oneOf('blobs', BLOB_CHOICES, 'none'), secrets: query.flag('secrets', false) };
    const { output, manifest } = await this.#backups.make(wishes).catch(refused);
    if (wishes.secrets) this.#log.warn('a backup with the keys of this installation is being made');
    // Whoever asked may be gone by now, and then nobody reads it.
    const gone = () => output.destroy();
    reply.raw.once('close', gone);
    if (reply.raw.destroyed) {
      gone();
      throw new Fault('unavailable', 'Nobody waits for the backup any more.');
    }
    output.once('error', (error) => this.#log.error(`the backup was broken off: ${error.message}`));
    const name = `entrepot-${manifest.made_at.replaceAll(/[:.]/g, '-')}.tar.zst`;
    reply
      .header('content-type', 'application/zstd')
      .header('content-disposition', `attachment; filename="${name}"`)
      .header('cache-control', 'no-store');
    return output;
  }
}

function refused(error: unknown): Promise<Backup> {
  if (error instanceof BackupUnderWay) throw new Fault('conflict', error.message, { cause: error });
  if (!(error instanceof LedgerError || error instanceof StoreError)) throw error;
  throw new Fault('unavailable', error.message, { cause: error, details: { retryAfter: 5 } });
}

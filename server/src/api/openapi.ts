import { Controller, Get, Inject, Redirect, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type OpenApiDocument, openapi } from '../schema/openapi.ts';
import { SITE, type Site } from './dependencies.ts';
import { DOCS_POLICY, docsPage } from './docs-page.ts';

/** The management API, for programs and for people. Both are made when they are first asked for. */
@Controller()
export class OpenApiController {
  readonly #site: Site;
  #document: OpenApiDocument | undefined;
  #page: string | undefined;

  constructor(@Inject(SITE) site: Site) {
    this.#site = site;
  }

  @Get('openapi.json')
  document(): OpenApiDocument {
    this.#document ??= openapi({ version: this.#site.version, url: this.#site.origin });
    return this.#document;
  }

  @Get('docs')
  docs(@Res({ passthrough: true }) reply: FastifyReply): string {
    this.#page ??= docsPage(this.document());
    reply.header('content-type', 'text/html; charset=utf-8').header('content-security-policy', DOCS_POLICY);
    return this.#page;
  }

  @Get()
  @Redirect('/docs', 302)
  home(): void {}
}

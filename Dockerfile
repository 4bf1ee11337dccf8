# Any image with Node 24 or newer, npm and a shell.
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
ENV NPM_CONFIG_UPDATE_NOTIFIER=false
COPY package.json package-lock.json .npmrc ./
COPY server/package.json server/
COPY terraform-provider/package.json terraform-provider/
# Not `npm ci`, which refuses a lock file without every platform's optional packages, and not `--omit=optional`:
# what is native is an optional dependency of a package. The Node that the checkout brings is one of the root's, left out.
RUN --mount=type=cache,target=/root/.npm \
    npm install --no-save --ignore-scripts --omit=dev --workspace=server --include-workspace-root=false --prefer-offline \
    && mkdir -p server/node_modules

FROM dependencies AS build
RUN --mount=type=cache,target=/root/.npm \
    npm install --no-save --ignore-scripts --workspace=server --include-workspace-root=false --prefer-offline
COPY server/tsconfig.json server/
COPY server/src server/src
RUN node_modules/.bin/tsc -p server \
    && find server/dist -name '*.map' -delete -o -name '.tsbuildinfo' -delete

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Entrepot" \
      org.opencontainers.image.description="An artifact registry and caching proxy for every package ecosystem, run as code" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/server/node_modules server/node_modules
COPY LICENSE ./
COPY terraform-provider/schema.json terraform-provider/
COPY server/package.json server/
COPY server/bin server/bin
COPY --from=build /app/server/dist server/dist
RUN ln -s /app/server/bin/entrepot.mjs /usr/local/bin/entrepot \
    && mkdir -m 0750 /data /journal && chown 10001:10001 /data /journal
USER 10001:10001
WORKDIR /data
ENV NODE_ENV=production \
    ENTREPOT_LISTEN=0.0.0.0:8080 \
    ENTREPOT_DATA=/data
VOLUME /data
EXPOSE 8080
# The server itself is process 1. At SIGTERM it lets transfers end for 30 s: give it longer than that before it is killed.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["entrepot", "health"]
ENTRYPOINT ["entrepot"]
CMD ["serve"]

import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigController } from './config.ts';
import { type ApiDeps, providers } from './dependencies.ts';
import { ExplainController } from './explain.ts';
import { HealthController } from './health.ts';
import { MetricsController } from './metrics.ts';
import { ObjectsController } from './objects.ts';
import { OpenApiController } from './openapi.ts';
import { ProbeController } from './probe.ts';
import { PullsController } from './pulls.ts';
import { ResourcesController } from './resources.ts';
import { StatsController } from './stats.ts';

@Module({})
class Management {}

/** Everything Entrepot answers that is not a package. */
export function managementModule(deps: ApiDeps): DynamicModule {
  return {
    module: Management,
    controllers: [
      ConfigController,
      ExplainController,
      ObjectsController,
      ProbeController,
      PullsController,
      StatsController,
      ResourcesController,
      HealthController,
      MetricsController,
      OpenApiController,
    ],
    providers: [...providers(deps)],
  };
}

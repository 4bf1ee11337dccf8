import { type DynamicModule, Module } from '@nestjs/common';
import { AlertsController } from './alerts.ts';
import { BackupController } from './backup.ts';
import { ConfigController } from './config.ts';
import { DecisionsController } from './decisions.ts';
import { type ApiDeps, providers } from './dependencies.ts';
import { EventsController } from './events.ts';
import { ExplainController } from './explain.ts';
import { HealthController } from './health.ts';
import { MetricsController } from './metrics.ts';
import { ObjectsController } from './objects.ts';
import { OpenApiController } from './openapi.ts';
import { ProbeController } from './probe.ts';
import { PullsController } from './pulls.ts';
import { ResourcesController } from './resources.ts';
import { SimulateController } from './simulate.ts';
import { StatsController } from './stats.ts';
import { VerifyController } from './verify.ts';

@Module({})
class Management {}

/** Everything Entrepot answers that is not a package. */
export function managementModule(deps: ApiDeps): DynamicModule {
  return {
    module: Management,
    controllers: [
      AlertsController,
      BackupController,
      ConfigController,
      DecisionsController,
      EventsController,
      ExplainController,
      ObjectsController,
      ProbeController,
      PullsController,
      SimulateController,
      StatsController,
      VerifyController,
      ResourcesController,
      HealthController,
      MetricsController,
      OpenApiController,
    ],
    providers: [...providers(deps)],
  };
}

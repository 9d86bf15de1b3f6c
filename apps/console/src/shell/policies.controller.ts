import { problemLine, Sha256 } from '@countersign/contracts';
import { Documented, Refused } from '@countersign/runtime';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { z } from 'zod';
import { CheckAnswer, DifferencesAnswer, VersionAnswer, VersionsAnswer } from '../core/agents.answers.js';
import { PolicyAnswer, PublishedAnswer } from '../core/answers.js';
import { paged } from '../core/cursor.js';
import { policyDifferences } from '../core/policy-difference.js';
import { problem } from '../core/problem.js';
import { seen } from '../core/seen.js';
import { Store } from './console.repository.js';
import { type ConsoleRequest, Needs } from './people.access.js';
import { PolicyStore } from './policies.repository.js';
import { Policies } from './policies.service.js';

const Version = z.coerce.number().int().positive();
const Listing = z.object({
  limit: z.coerce.number().int().positive().max(200).default(50),
  before: Version.optional().describe('Only versions below this one'),
});
const Two = z.object({ from: Version, to: Version });
const PublishRequest = z.strictObject({
  digest: Sha256.describe('Of the folder, as the check told it'),
  inForce: z.int().nonnegative().describe('The version in force, as the check told it; 0 where there was none'),
  ...seen,
});

/** The policies that there were, their differences, and how to publish the next one. */
@Controller('v1/policies')
export class PolicyRoutes {
  constructor(
    @Inject(Store) private readonly store: Store,
    @Inject(PolicyStore) private readonly past: PolicyStore,
    @Inject(Policies) private readonly policies: Policies,
  ) {}

  @Get()
  @Documented({ summary: 'The policy in force', answers: { 200: PolicyAnswer }, problems: [404] })
  async policy() {
    const policy = await this.store.policy(this.store.forPages);
    if (!policy) throw new Refused(problem(404, 'No policy', 'no policy has been published; everything is refused'));
    return policy;
  }

  @Get('versions')
  @Documented({ summary: 'Every policy that was published, the latest first', answers: { 200: VersionsAnswer } })
  async versions(@Query({ schema: Listing }) { limit, before }: z.infer<typeof Listing>) {
    const [policy, found] = await Promise.all([
      this.store.policy(this.store.forPages),
      this.past.versions(before, limit + 1),
    ]);
    const { page, next } = paged(found, limit, ({ version }) => String(version));
    return { inForce: policy?.version ?? null, versions: page, next };
  }

  @Get('versions/:version')
  @Documented({ summary: 'One policy that was published', answers: { 200: VersionAnswer }, problems: [404] })
  version(@Param('version', { schema: Version }) version: number) {
    return this.published(version);
  }

  @Get('differences')
  @Documented({
    summary: 'What one published policy has otherwise than another',
    answers: { 200: DifferencesAnswer },
    problems: [404],
  })
  async differences(@Query({ schema: Two }) { from, to }: z.infer<typeof Two>) {
    const [before, after] = await Promise.all([this.published(from), this.published(to)]);
    return { from, to, differences: policyDifferences(before.content, after.content) };
  }

  @Post('check')
  @HttpCode(200)
  @Needs('policy-owner')
  @Documented({
    summary: 'Whether the configuration folder is valid, and what publishing it would change',
    description: 'Publishes nothing. Its digest and version are what publishing asks for.',
    answers: { 200: CheckAnswer },
  })
  check() {
    return this.policies.check();
  }

  @Post('publish')
  @HttpCode(200)
  @Needs('policy-owner')
  @Documented({
    summary: 'Publish the configuration folder as the policy in force',
    description:
      'Exactly what the check showed: where the folder or the policy in force has changed since, nothing is published.',
    answers: { 200: PublishedAnswer },
    problems: [409, 422],
  })
  async publish(
    @Body({ schema: PublishRequest }) wanted: z.infer<typeof PublishRequest>,
    @Req() { principal: person }: ConsoleRequest,
  ) {
    const publication = await this.policies.publish(person.person, wanted);
    if (publication.ok) return publication;
    if ('problems' in publication) {
      const lines = publication.problems.map(problemLine);
      throw new Refused(problem(422, 'Configuration not valid', lines.join('\n')));
    }
    throw new Refused(
      publication.changedSince === 'folder'
        ? problem(
            409,
            'The folder has changed',
            'the configuration folder has changed since it was checked, so nothing was published: check again what it would change',
            'digest',
          )
        : problem(
            409,
            'The policy has changed',
            `${publication.by ?? 'somebody'} has published another policy since the check, so nothing was published: check again what the folder would change`,
            'inForce',
          ),
    );
  }

  private async published(version: number) {
    const found = await this.past.version(version);
    if (!found)
      throw new Refused(problem(404, 'No such version', `no policy with the version ${version} is kept here`));
    return found;
  }
}

import { Anchor, Stack, Text, Title } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { NotFound } from '../../parts/not-found.js';
import { DrainGuide } from './drain.js';
import { GapGuide } from './gap.js';
import { type Guide, guides } from './guides.js';
import { HandBackGuide } from './hand-back.js';
import { ReplayGuide } from './replay.js';
import { StopGuide } from './stop.js';

const steps: Readonly<Record<Guide, ComponentType>> = {
  stop: StopGuide,
  'hand-back': HandBackGuide,
  replay: ReplayGuide,
  gap: GapGuide,
  drain: DrainGuide,
};

/** One guide of the runbook. */
export function GuidePage() {
  const { guide } = useParams({ strict: false });
  const chosen = guides.find((known) => known.guide === guide);
  if (!chosen) return <NotFound />;
  const Steps = steps[chosen.guide];
  return (
    <Stack>
      <title>{`${chosen.title} · Runbook · Countersign`}</title>
      <Anchor component={Link} to="/runbook" size="sm">
        All guides
      </Anchor>
      <Title order={1} size="h2">
        {chosen.title}
      </Title>
      <Text>{chosen.when}</Text>
      <Steps />
    </Stack>
  );
}

import { Anchor, Select, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import { controlsQuery } from '../../parts/controls.js';
import { Problem } from '../../parts/problem.js';
import { StopHere } from '../../parts/stops.js';
import { nowQuery, queueQuery } from '../now/now.queries.js';
import { Command, NeedsRole, Step } from './step.js';
import { UnderWay } from './under-way.js';

/**
 * What the product offers for a drain today: it shows what is under way until nothing is left, and new work is stopped by an edit
 * of the policy.
 */
export function DrainGuide() {
  const now = useQuery(nowQuery);
  const [agent, setAgent] = useState<string | null>(null);
  return (
    <>
      <Step n={1} title="Choose the agent and see what is under way">
        <Select
          label="Agent"
          placeholder="Choose an agent"
          data={now.data?.agents ?? []}
          value={agent}
          onChange={setAgent}
          maw={400}
        />
        {now.isError && <Problem error={now.error} again={() => void now.refetch()} />}
        {agent !== null && <UnderWay scope={`agent:${agent}`} />}
        <Text size="sm">
          There is no pause that ends by itself. A stop ends what was approved and has not run. A new version of a play
          does the same for what was approved under the play. If you want that to be done first, wait until this list
          has no approved action before you publish in step 3.
        </Text>
      </Step>
      <Step n={2} title="Answer what waits for a person">
        <Text size="sm">
          Answer the reviews that step 1 lists. Each one that nobody answers is refused at its deadline. After step 3 an
          approval has no effect any more.{' '}
          <Anchor component={Link} to="/reviews" inherit underline="always">
            All reviews
          </Anchor>
        </Text>
      </Step>
      <Step n={3} title="Give it no new tasks">
        <Text size="sm">
          Take the agent's tasks out of the plays in the configuration folder, then publish the folder on the page{' '}
          <Anchor component={Link} to="/policy" inherit underline="always">
            Policy
          </Anchor>
          . After that, what the agent proposes under these plays is refused, also for tasks that it was given before.
        </Text>
        <Command text="npx countersign policy publish" />
      </Step>
      <Step n={4} title="Wait until nothing is left">
        {agent === null ? <Text>Choose an agent in step 1.</Text> : <Left agent={agent} />}
        <Command text={`npx countersign queue --agent ${agent ?? '<agent>'} --wait 3600`} />
        <Text size="sm">Then stop the agent, so that nothing of it is approved by mistake, and end its process.</Text>
        {agent !== null && <StopAgent key={agent} agent={agent} />}
        <Command text={`npx countersign stop --agent ${agent ?? '<agent>'} --reason "out of service"`} />
      </Step>
    </>
  );
}

/** The last act of a drain. It says who has already stopped the agent. */
function StopAgent({ agent }: { readonly agent: string }) {
  const mayStop = useMay('operator');
  const controls = useQuery(controlsQuery);
  const scope = `agent:${agent}`;
  const stops = controls.data?.filter((known) => known.state === 'stopped' && ['all', scope].includes(known.scope));
  return (
    <>
      <StopHere scope={scope} stops={stops ?? []} />
      {!mayStop && <NeedsRole holder="an operator" act="stop it" />}
    </>
  );
}

function Left({ agent }: { readonly agent: string }) {
  const queue = useQuery({ ...queueQuery(`agent:${agent}`), refetchInterval: 2_000 });
  if (queue.isError) return <Problem error={queue.error} again={() => void queue.refetch()} />;
  if (!queue.data) return <Text>Counting</Text>;
  const { tasks, reviews, approved } = queue.data;
  const left = tasks.count + reviews.count + approved.count;
  return (
    <Text role="status" fw={600}>
      {left === 0 ? `Nothing of ${agent} is under way.` : `${left.toLocaleString()} of ${agent} still under way.`}
    </Text>
  );
}

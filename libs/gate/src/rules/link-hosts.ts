import { clip, type PlacedText } from '@countersign/contracts';
import { type Hosts, hostsOf } from '../content/hosts.js';
import { linksIn } from '../content/links.js';
import { type Mark, markOf, mostMarks, placeWords } from '../content/marks.js';
import { textRule } from '../content/text-rule.js';
import { firstOf, perSetting, perText, remembered } from '../content/texts.js';

const marksOf = perSetting((written: readonly string[]) => {
  const hosts = hostsOf(written);
  return perText((text) => remembered(marksIn(text, hosts)));
});

function* marksIn(text: PlacedText, hosts: Hosts): Generator<Mark> {
  for (const link of linksIn(text)) {
    const fault = hosts.against(link);
    if (fault === undefined) continue;
    const detail = `in ${placeWords(text.place)} ${fault}`;
    yield markOf(text, [link.start, link.end], { outcome: 'refuse', detail, marked: originOf(link.url) });
  }
}

/** Links go only to hosts that are allowed. Hosts are compared as browsers parse them. */
export const linkHosts = textRule({
  name: 'link-hosts',
  setting: 'linkHosts',
  marks: (hosts, { subject, proposal }) =>
    subject.texts.flatMap((text) =>
      firstOf(
        marksOf(hosts)(text),
        mostMarks + 1,
        // A text for the CRM may name the account, and its id may be the name of a domain.
        ({ start, end }) => subject.spec.channel !== 'crm' || text.text.slice(start, end) !== proposal.action.accountId,
      ),
    ),
  clean: 'every link goes to a host that is allowed',
  unset: 'links may go to any host',
});

/** What is shown of a link: where it goes, without the name before the @, the path and the query, which may be about a person. */
const originOf = (url: URL | undefined): string =>
  url ? clip(url.host === '' ? url.protocol : `${url.protocol}//${url.host}`, 80) : 'a link that cannot be read';

import { capital } from './capital.js';
import { idBehind, type ScopeNamed, scopeWords } from './scope.js';

/** Words with a name in them, and the id of what they name small behind them: two accounts may have the same name. */
export const WithId = ({ words, id }: { readonly words: string; readonly id: string | undefined }) => (
  <>
    {words}
    {id !== undefined && (
      <>
        {' '}
        <small className="exact">{id}</small>
      </>
    )}
  </>
);

/** What a scope covers. `first`: at the beginning of a sentence. */
export const ScopeName = ({ named, first }: { readonly named: ScopeNamed; readonly first?: true }) => (
  <WithId words={first ? capital(scopeWords(named)) : scopeWords(named)} id={idBehind(named)} />
);

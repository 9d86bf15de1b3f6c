import { pass, type Rule, refuse } from '../rule.js';

export const route: Rule = {
  name: 'route',
  parts: () => ['routes'],
  weigh: (context) =>
    context.route
      ? pass(`runs at ${context.route.executor}/${context.route.connector}`)
      : refuse(`no executor runs ${context.subject.kind} here`, { kind: context.subject.kind }),
};

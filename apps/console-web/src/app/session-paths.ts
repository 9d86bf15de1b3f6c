/**
 * The routes of the session by hand, until they are in the console's document: then this file goes.
 */
interface Json<T> {
  headers: { [name: string]: unknown };
  content: { 'application/json': T };
}
interface None {
  parameters: { query?: never; header?: never; path?: never; cookie?: never };
}
export interface Session {
  person: string;
  roles: string[];
  csrfToken: string;
  signedInAt: string;
  expiresAt: string;
}
export interface SessionPaths {
  '/v1/sign-in': {
    get: None & { responses: { 200: Json<{ link: boolean; oidc: { name: string; url: string } | null }> } };
  };
  '/v1/session': {
    get: None & { responses: { 200: Json<Session> } };
    post: None & {
      requestBody: { content: { 'application/json': { code: string } } };
      responses: { 200: Json<Session> };
    };
    delete: None & { responses: { 204: { headers: { [name: string]: unknown }; content?: never } } };
  };
}

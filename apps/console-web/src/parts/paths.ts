export const storyPath = (id: string): string => `/stories/${encodeURIComponent(id)}`;
export const reviewPath = (id: string): string => `/reviews/${encodeURIComponent(id)}`;
export const agentPath = (agent: string): string => `/agents/${encodeURIComponent(agent)}`;
export const playPath = (playId: string): string => `/plays/${encodeURIComponent(playId)}`;
export const personPath = (contactId: string): string => `/people/${encodeURIComponent(contactId)}`;

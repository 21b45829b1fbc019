import { testHandlers } from '../stompjs/handlers.js';
import { connect, TRANSPORTS } from './transports.js';

for (const transport of TRANSPORTS)
  testHandlers(transport, (server, options) => connect(server, transport, options), { binary: false });

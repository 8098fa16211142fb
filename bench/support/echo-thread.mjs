// Gives a message back: the floor of every trip to a thread.
import { move } from 'piscina';

export default (message) => move(message);

// A property `seal` covers all other properties of its node or relationship. `sealing.py` seals what is there; what was changed in it
// before cannot be seen any more, but for what the log's chain and its commitments show.

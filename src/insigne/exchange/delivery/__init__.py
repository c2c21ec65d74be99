"""Messages onward: what the registry decided becomes rows of the outbox, and each receiver gets them in order.

`follower` writes the rows in the transaction of the events; `dispatcher` encodes, sends and records, in a thread of its
own; `lanes` says what may go at the same time; `acts` are what a person does about a message.
"""

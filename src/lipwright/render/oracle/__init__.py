"""The oracle of system D: photographs of any drawn face of the person, from which the cross-modal renderer learns.

drawing (what the networks see) -> mouth network at the footage's own resolution -> outpaint (its picture in the head
drawing) -> head network. data and task train the two one after the other; pairs draws and keeps the synthetic set.
"""
